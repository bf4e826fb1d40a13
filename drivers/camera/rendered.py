"""A camera that looks into the simulated duct."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from drivers.clock import Clock
from drivers.errors import Absent, BadData, Lost
from drivers.settings import Settings
from drivers.simulated.course import number
from drivers.simulated.faults import Fault
from drivers.simulated.world import World
from drivers.thread_bound import ThreadBound
from drivers.types import NS_PER_S, Frame, Instant, PixelFormat, SourceId

if TYPE_CHECKING:
    from drivers.duct.render import Renderer
    from drivers.duct.scene import Scene

DRAW_LIMIT_S = 60.0  # a scene is drawn once, when its camera is first opened: 2 s on a PC, some 10 s on a small board
RENDER_LIMIT_S = 10.0  # 10 ms on a PC; a machine that needs this long has other troubles
MOST_DAMAGED = 5  # frames in a row that are not whole
FOG_S = 15.0  # from a clear lens to one that shows nothing
FULL_FOG, FULL_DUST, OVEREXPOSED_EV = 0.95, 0.9, 6.0
MARKERS_BYTES = 20  # of a JPEG file: start of image and the JFIF segment (T.871, 10.1)


class RenderedSettings(Settings, frozen=True, kw_only=True):
    """`looks` is which way the camera looks; `pace` how fast it gets dirty there, 1 being usual."""

    looks: Literal["upstream", "downstream"] = "upstream"
    pace: float = 1.0
    width: int = 640
    height: int = 480
    rate: float = 10.0  # frames a second
    pixel_format: PixelFormat = PixelFormat.MJPEG

    def __post_init__(self) -> None:
        for fine, problem in (
            (0 <= self.pace <= 100, "pace is 0 (stays clean) to 100 times the usual"),
            (64 <= self.width <= 4096 and self.width % 2 == 0, "width is 64 to 4096, and even"),
            (48 <= self.height <= 4096, "height is 48 to 4096"),
            (0.1 <= self.rate <= 60, "rate is 0.1 to 60 frames a second"),
        ):
            if not fine:
                raise ValueError(problem)


@dataclass(frozen=True, slots=True)
class _Exposure:
    """All that a picture depends on, taken from the world at one moment."""

    deposit_g_m2: float
    light: float
    covered: bool
    overexposed: bool
    dusty: bool
    fog: float
    dust_seed: int
    frame_seed: int


class RenderedCamera:
    """`drivers.protocol.Camera` on the simulated duct. A frame is rendered only when it is asked for.

    Frames come at the multiples of the frame interval, so that all cameras of a board see the same moments.
    `captured_ns` is taken when a picture is ready: rendering is the world's time, not the camera's.
    """

    def __init__(self, settings: RenderedSettings, world: World, clock: Clock) -> None:
        self._settings = settings
        self._source = SourceId(settings.name)
        self._interval_ns = round(NS_PER_S / settings.rate)
        self._world = world
        self._clock = clock
        self._eye = ThreadBound(self._source, "the renderer", self._draw)
        self._drawn: Renderer | None = None  # kept while closed: drawing a scene takes seconds
        self._newest = b""

    @property
    def source(self) -> SourceId:
        return self._source

    @property
    def description(self) -> str:
        its = self._settings
        return f"simulated duct, {its.looks}, {its.width}x{its.height} {its.pixel_format.value}, {its.rate:g}/s"

    async def __aenter__(self) -> Self:
        if self._world.fails(Fault.CAMERA_UNPLUGGED, self._source):
            raise Absent(self._source, "no camera there", remedy=_remedy(Fault.CAMERA_UNPLUGGED))
        with self._clock.held():
            await self._eye.open(limit_s=DRAW_LIMIT_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._clock.held():
            await self._eye.close()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        sequence, damaged_in_a_row = 0, 0
        due = self._tick_from(self._clock.now())
        while True:
            await self._clock.sleep_until(due)
            at = self._clock.now()
            payload = await self._take(at)
            if self._is_whole(payload):
                yield self._frame(payload, at, sequence)
                damaged_in_a_row = 0
            elif damaged_in_a_row == MOST_DAMAGED:
                raise BadData(self._source, "frames are cut short", remedy=_remedy(Fault.CAMERA_CORRUPT))
            else:
                damaged_in_a_row += 1
            sequence += 1
            due = self._tick_from(Instant(max(self._clock.now(), at + 1)))

    def _tick_from(self, moment: Instant) -> Instant:
        return Instant(-(-moment // self._interval_ns) * self._interval_ns)

    async def _take(self, at: Instant) -> bytes:
        """What the camera sends at this moment. Everything it depends on is asked before rendering starts."""
        fails = self._world.fails
        if fails(Fault.CAMERA_UNPLUGGED, self._source):
            raise Lost(self._source, "unplugged", remedy=_remedy(Fault.CAMERA_UNPLUGGED))
        corrupt = fails(Fault.CAMERA_CORRUPT, self._source)
        if not (self._newest and fails(Fault.CAMERA_FROZEN, self._source)):
            with self._clock.held():
                self._newest = await self._eye.call(self._render, self._exposure(at), limit_s=RENDER_LIMIT_S)
        return self._damage(self._newest) if corrupt else self._newest

    def _exposure(self, at: Instant) -> _Exposure:
        world, source = self._world, self._source
        return _Exposure(
            deposit_g_m2=world.deposit_g_m2(at, self._settings.pace),
            light=world.light_in_duct(),
            covered=world.fails(Fault.CAMERA_BLIND, source),
            overexposed=world.fails(Fault.OVEREXPOSED, source),
            dusty=world.fails(Fault.LENS_DUST, source),
            fog=min(1.0, (world.failing_s(Fault.LENS_FOG, source, at) or 0.0) / FOG_S),
            dust_seed=number(world.key(source, "dust")),
            frame_seed=number(world.key(source, at)),
        )

    def _render(self, renderer: Renderer, exposure: _Exposure) -> bytes:
        from drivers.camera.jpeg import encode_jpeg
        from drivers.camera.yuyv import to_yuyv
        from drivers.duct.optics import Optics

        picture = renderer.render(
            mean_g_m2=exposure.deposit_g_m2,
            light=exposure.light,
            optics=Optics(
                exposure_ev=OVEREXPOSED_EV if exposure.overexposed else 0.0,
                fog=FULL_FOG * exposure.fog,
                lens_dust=FULL_DUST if exposure.dusty else 0.0,
                lens_dust_seed=exposure.dust_seed,
                cover=float(exposure.covered),
                led=0.0 if exposure.covered else 1.0,  # a cap close on the lens lets none of the ring's light in
            ),
            frame_seed=exposure.frame_seed,
        )
        return encode_jpeg(picture) if self._settings.pixel_format is PixelFormat.MJPEG else to_yuyv(picture)

    def _draw(self) -> Renderer:
        from drivers.duct.render import Renderer
        from drivers.duct.scene import other_way, random_scene

        if self._drawn is None:
            candidates = map(random_scene, self._world.scenes("upstream"))
            scene = next(filter(shows_its_dirt, candidates))
            if self._settings.looks == "downstream":
                scene = other_way(scene, next(self._world.scenes("downstream")))
            self._drawn = Renderer(scene, self._settings.width, self._settings.height)
        return self._drawn

    def _damage(self, payload: bytes) -> bytes:
        """MJPEG without its tables, which only decoding tells; YUYV that is cut short, which every driver sees."""
        if self._settings.pixel_format is PixelFormat.MJPEG:
            return payload[:MARKERS_BYTES] + payload[len(payload) // 2 :]
        return payload[: len(payload) // 2]

    def _is_whole(self, payload: bytes) -> bool:
        is_yuyv = self._settings.pixel_format is PixelFormat.YUYV
        return not is_yuyv or len(payload) == self._settings.width * self._settings.height * 2

    def _frame(self, payload: bytes, at: Instant, sequence: int) -> Frame:
        return Frame(
            source=self._source,
            sequence=sequence,
            payload=memoryview(payload),
            pixel_format=self._settings.pixel_format,
            width=self._settings.width,
            height=self._settings.height,
            captured_ns=time.monotonic_ns(),
            at=at,
        )


def shows_its_dirt(scene: Scene) -> bool:
    """Whether people who watch can tell the deposit from the wall: bare metal, and dust that is darker or browner."""
    from drivers.duct.scene import Material

    wall, dust = sum(scene.tint), sum(scene.soiling.colour)
    red, _, blue = scene.soiling.colour
    return scene.material is Material.GALVANISED and (dust < 0.7 * wall or red > 1.3 * blue)


def _remedy(fault: Fault) -> str:
    return f"Check its cable. (Here: the simulated fault {fault.title}.)"
