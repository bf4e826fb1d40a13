"""Snapshots: light on, settle, one frame of each camera in the same light, light off whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

from drivers.clock import Clock
from drivers.errors import DriverError, Lost
from drivers.protocol import Camera
from drivers.types import NS_PER_S, Frame, Instant, SourceId
from firmware.lamp import Lamp
from firmware.realtime import collect_garbage
from firmware.sampling import every
from firmware.streams import Latest
from firmware.supervisor import Pulse
from firmware.vitals import Vitals


@dataclass(frozen=True, slots=True)
class Shot:
    """A lit frame, and the same view without the light where one was taken."""

    lit: Frame
    dark: Frame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lighting:
    """How the duct is lit: `level` 0..1, time for exposure to settle, and the longest time that the light is on."""

    level: float
    settle_s: float
    limit_s: float
    dark_frame: bool


@dataclass(frozen=True, slots=True)
class _View:
    """An open camera, and what it saw without the light."""

    camera: Camera
    frames: AsyncGenerator[Frame, None]
    dark: Frame | None


Deliver = Callable[[Shot], None]


class Photographer:
    """Takes snapshots with all cameras at once. A camera that fails is reported and left out; the others go on."""

    def __init__(
        self,
        cameras: Sequence[Camera],
        lamp: Lamp | None,
        lighting: Lighting,
        clock: Clock,
        vitals: Vitals,
        chose: Callable[[SourceId, str], None],
    ) -> None:
        self._cameras = cameras
        self._lamp = lamp
        self._lighting = lighting
        self._clock = clock
        self._vitals = vitals
        self._chose = chose
        self._chosen: dict[SourceId, str] = {}

    async def take(self, deliver: Deliver) -> None:
        """Hand each camera's shot to `deliver` the moment it is there: a slow camera does not delay a quick one."""
        async with AsyncExitStack() as stack:
            views = await self._open(stack)
            async with self._lit():
                ready = Instant(self._clock.now() + round(self._lighting.settle_s * NS_PER_S))
                async with asyncio.TaskGroup() as group:  # gather would leave before the last camera has stopped
                    for view in views:
                        group.create_task(self._shoot(view, ready, deliver))

    async def aim(self, period_ns: int, deliver: Deliver) -> None:
        """Light on, and a frame of each camera every `period_ns`, until cancelled or until a camera fails (raises)."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._lit())
            async with asyncio.TaskGroup() as group:
                for camera in self._cameras:
                    group.create_task(self._stream(camera, period_ns, deliver))

    async def _stream(self, camera: Camera, period_ns: int, deliver: Deliver) -> None:
        while True:
            try:
                async with camera, aclosing(camera.frames()) as frames:
                    self._say_choice(camera)
                    due = self._clock.now()
                    async for frame in frames:
                        if frame.at >= due:
                            deliver(Shot(frame))
                            self._vitals.well(camera.source)
                            due = Instant(frame.at + period_ns)
            except DriverError as error:
                self._vitals.failed(error)
            await self._clock.sleep_until(Instant(self._clock.now() + NS_PER_S))  # and open it again

    async def _open(self, stack: AsyncExitStack) -> list[_View]:
        async def view(camera: Camera) -> _View | None:
            try:
                await stack.enter_async_context(camera)
                self._say_choice(camera)
                frames = await stack.enter_async_context(aclosing(camera.frames()))
                dark = await anext(frames) if self._wants_dark else None
            except DriverError as error:
                self._vitals.failed(error)
                return None
            return _View(camera, frames, dark)

        async with asyncio.TaskGroup() as group:
            opening = [group.create_task(view(camera)) for camera in self._cameras]
        return [opened for task in opening if (opened := task.result()) is not None]

    def _say_choice(self, camera: Camera) -> None:
        """Once, and again when the camera that was found, or what it was set to, is another."""
        if self._chosen.get(camera.source) != camera.description:
            self._chosen[camera.source] = camera.description
            self._chose(camera.source, camera.description)

    @property
    def _wants_dark(self) -> bool:
        return self._lighting.dark_frame and self._lamp is not None

    async def _shoot(self, view: _View, ready: Instant, deliver: Deliver) -> None:
        source = view.camera.source
        try:
            async with asyncio.timeout(self._lighting.limit_s):
                deliver(Shot(await _first_from(view.frames, ready, source), view.dark))
        except TimeoutError:
            problem = f"no lit frame within {self._lighting.limit_s:g} s"
            self._vitals.failed(Lost(source, problem, remedy="Check the camera's cable and its frame rate."))
        except DriverError as error:
            self._vitals.failed(error)
        else:
            self._vitals.well(source)

    @asynccontextmanager
    async def _lit(self) -> AsyncIterator[None]:
        """Light on inside, and off afterwards whatever happened."""
        if self._lamp is None:
            yield
            return
        try:
            await self._lamp.set(self._lighting.level)
            yield
        finally:
            await self._lamp.set(0.0)


async def request_regularly(period_ns: int, requests: Latest[str], clock: Clock, pulse: Pulse) -> None:
    """Ask for a snapshot now and every `period_ns`, until cancelled."""
    async for _ in every(period_ns, clock):
        requests.put("schedule")
        pulse.rest()


async def photograph(photographer: Photographer, requests: Latest[str], deliver: Deliver, pulse: Pulse) -> None:
    """Take a snapshot for each request, until cancelled. Requests that come meanwhile become one."""
    while True:
        pulse.rest()
        await requests.get()
        pulse.beat()
        collect_garbage()  # the idle gap: nothing is waiting for a verdict
        await photographer.take(deliver)


async def aim(photographer: Photographer, period_ns: int, deliver: Deliver, pulse: Pulse) -> None:
    """Light on, and a frame of each camera every `period_ns`, until cancelled: for aiming the cameras."""
    pulse.rest()
    await photographer.aim(period_ns, deliver)


async def _first_from(frames: AsyncGenerator[Frame, None], ready: Instant, source: SourceId) -> Frame:
    """The first frame taken at or after `ready`: all cameras' shots thus lie within one frame interval."""
    async for frame in frames:
        if frame.at >= ready:
            return frame
    raise Lost(source, "the stream ended", remedy="Check the camera's cable, or add pictures to its folder.")
