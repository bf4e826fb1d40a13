from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from drivers.camera.rendered import RenderedCamera, RenderedSettings
from drivers.clock import SimulatedClock
from drivers.errors import Absent, BadData, Lost
from drivers.settings import from_table
from drivers.simulated.faults import Faults, parse_fault
from drivers.simulated.world import World
from drivers.types import Frame, Instant, PixelFormat
from model.errors import Unreadable
from model.tensors import Decoder, Picture
from tests.builders import at

pytestmark = pytest.mark.real

WIDTH, HEIGHT = 128, 96
DECODER = Decoder(HEIGHT, WIDTH)


class Duct:
    """A lit simulated duct and a small camera in it, on a clock that nobody waits for."""

    def __init__(self, *faults: str, seed: int = 1, factor: float = 1000, **settings: object) -> None:
        self.clock = SimulatedClock(factor)
        self.world = World(seed, self.clock, Faults(map(parse_fault, faults)))
        self.world.light = 1.0
        table = {"name": "upstream", "driver": "rendered", "width": WIDTH, "height": HEIGHT, **settings}
        self.camera = RenderedCamera(from_table(table, RenderedSettings), self.world, self.clock)

    async def frames(self, *seconds: float) -> list[Frame]:
        """The frames at these moments, the camera opened for each."""
        taken = []
        for second in seconds:
            await self.clock.sleep_until(at(second))
            async with self.camera, aclosing(self.camera.frames()) as frames:
                taken.append(await anext(frames))
        return taken


def picture(frame: Frame) -> Picture:
    return DECODER.decode(frame)


def detail(seen: Picture) -> float:
    """How much neighbours differ, in shares of the brightness, beyond the camera's noise."""
    coarse = seen[..., 1].reshape(HEIGHT // 4, 4, WIDTH // 4, 4).mean(axis=(1, 3))
    return float(abs(np.diff(coarse, axis=1)).mean() / coarse.mean())


async def at_half_time(*faults: str) -> Picture:
    [frame] = await Duct(*faults).frames(30)
    return picture(frame)


async def run(seed: int, factor: float) -> list[tuple[Instant, bytes]]:
    """Pictures of a run in which others wait for the clock meanwhile, as sensors do."""
    duct = Duct("lens-fog@20s+10s", seed=seed, factor=factor)
    others = [asyncio.create_task(duct.clock.sleep_until(at(tick / 7))) for tick in range(300)]
    frames = await duct.frames(2, 10, 25, 40)
    await asyncio.gather(*others)
    return [(frame.at, bytes(frame.payload)) for frame in frames]


async def test_one_seed_gives_the_same_pictures_bit_for_bit_whatever_the_time_factor() -> None:
    slow, fast = await run(seed=1, factor=50), await run(seed=1, factor=100_000)

    assert slow == fast
    assert [moment for moment, _ in fast] == [at(2), at(10), at(25), at(40)]


async def test_another_seed_is_another_duct_and_each_camera_looks_another_way() -> None:
    [mine] = await Duct(seed=1).frames(2)
    [other] = await Duct(seed=2).frames(2)
    [back] = await Duct(seed=1, looks="downstream").frames(2)

    assert abs(picture(mine).astype(int) - picture(other)).mean() > 5
    assert abs(picture(mine).astype(int) - picture(back)).mean() > 5


async def test_frames_come_at_multiples_of_the_interval_so_that_all_cameras_see_the_same_moments() -> None:
    duct = Duct(rate=5)
    async with duct.camera:
        await duct.clock.sleep_until(at(1.03))
        async with aclosing(duct.camera.frames()) as frames:
            taken = [await anext(frames) for _ in range(3)]

    assert [frame.at for frame in taken] == [at(1.2), at(1.4), at(1.6)]
    assert [frame.sequence for frame in taken] == [0, 1, 2]
    assert taken[0].captured_ns < taken[1].captured_ns < taken[2].captured_ns


async def test_a_camera_that_is_asked_late_sees_the_present_and_not_what_was_missed() -> None:
    duct = Duct()
    async with duct.camera, aclosing(duct.camera.frames()) as frames:
        first = await anext(frames)
        await duct.clock.sleep_until(at(7))
        late = await anext(frames)

    assert (first.at, late.at) == (at(0), at(7))


async def test_the_light_of_the_duct_is_what_the_camera_sees() -> None:
    duct = Duct()
    async with duct.camera, aclosing(duct.camera.frames()) as frames:
        lit = await anext(frames)
        duct.world.light = 0.0
        dark = await anext(frames)

    assert picture(lit).mean() > 60
    assert picture(dark).mean() < 15


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_the_duct_gets_darker_or_browner_while_one_watches(seed: int) -> None:
    clean, dirty = (picture(frame).mean(axis=(0, 1)) for frame in await Duct(seed=seed).frames(0, 60))

    grew_browner = dirty[0] / dirty[2] > 1.1 * clean[0] / clean[2]
    assert grew_browner or dirty.mean() < 0.9 * clean.mean()


async def test_yuyv_shows_the_same_duct_as_mjpeg() -> None:
    [as_jpeg] = await Duct(pixel_format="MJPG").frames(2)
    [as_yuyv] = await Duct(pixel_format="YUYV").frames(2)

    assert as_yuyv.pixel_format is PixelFormat.YUYV
    assert len(as_yuyv.payload) == WIDTH * HEIGHT * 2
    assert abs(picture(as_jpeg).astype(int) - picture(as_yuyv)).mean() < 6


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"pace": -1}, "pace is 0"),
        ({"width": 63}, "width is 64"),
        ({"height": 9000}, "height is 48"),
        ({"rate": 0}, "rate"),
    ],
    ids=["pace", "width", "height", "rate"],
)
def test_what_cannot_be_rendered_is_refused_with_what_can(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Duct(**settings)


async def test_it_says_what_it_is() -> None:
    assert Duct().camera.description == "simulated duct, upstream, 128x96 MJPG, 10/s"


async def test_camera_blind_makes_black_pictures_although_the_light_is_on() -> None:
    assert (await at_half_time()).mean() > 60
    assert (await at_half_time("camera-blind")).mean() < 20


async def test_led_dead_makes_dark_pictures() -> None:
    assert (await at_half_time("led-dead")).mean() < 15


async def test_overexposed_makes_white_pictures() -> None:
    assert (await at_half_time("overexposed") > 250).mean() > 0.6


async def test_lens_fog_takes_the_detail_within_15_seconds_and_clears_when_the_fault_ends() -> None:
    duct = Duct("lens-fog@2s+20s")
    before, thin, thick, after = [detail(picture(frame)) for frame in await duct.frames(1, 6, 20, 23)]

    assert before > thin > thick
    assert thick < 0.5 * before
    assert after > 1.5 * thick


async def test_lens_dust_lays_the_same_specks_over_every_picture() -> None:
    clean = [picture(frame).astype(int) for frame in await Duct().frames(2, 30)]
    dusty = [picture(frame).astype(int) for frame in await Duct("lens-dust").frames(2, 30)]
    specks = [after - before for before, after in zip(clean, dusty, strict=True)]

    assert all(abs(speck).mean() > 5 for speck in specks)
    assert np.corrcoef(specks[0].ravel(), specks[1].ravel())[0, 1] > 0.8


async def test_camera_frozen_repeats_the_last_picture_and_goes_on_when_the_fault_ends() -> None:
    frames = await Duct("camera-frozen@5s+10s").frames(4, 6, 14, 15)
    payloads = [bytes(frame.payload) for frame in frames]

    assert payloads[0] == payloads[1] == payloads[2] != payloads[3]
    assert [frame.at for frame in frames] == [at(4), at(6), at(14), at(15)]


async def test_camera_unplugged_is_lost_absent_when_opened_and_back_when_the_fault_ends() -> None:
    duct = Duct("camera-unplugged@5s+10s")
    async with duct.camera, aclosing(duct.camera.frames()) as frames:
        await anext(frames)
        await duct.clock.sleep_until(at(5))
        with pytest.raises(Lost, match="unplugged"):
            await anext(frames)
    with pytest.raises(Absent, match="no camera there"):
        await duct.frames(6)
    assert len(await duct.frames(15)) == 1


async def test_camera_corrupt_delivers_mjpeg_that_looks_whole_and_cannot_be_decoded() -> None:
    [frame] = await Duct("camera-corrupt").frames(2)

    payload = bytes(frame.payload)
    assert payload.startswith(b"\xff\xd8")
    assert payload.endswith(b"\xff\xd9")
    with pytest.raises(Unreadable):
        picture(frame)


async def test_camera_corrupt_cuts_yuyv_short_which_is_never_handed_out() -> None:
    with pytest.raises(BadData, match="cut short"):
        await Duct("camera-corrupt", pixel_format="YUYV").frames(2)


async def test_a_fault_of_the_other_camera_changes_nothing() -> None:
    [mine] = await Duct("camera-blind:downstream").frames(2)
    [sound] = await Duct().frames(2)

    assert mine.payload == sound.payload
