from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from drivers.camera.integrity import Corrupt, whole_mjpeg
from drivers.camera.negotiate import Size
from drivers.types import PixelFormat
from hil.rig import uvc
from hil.rig.camera import CameraFault, CameraPeer
from hil.rig.packets import CancelDataPacket, ControlPacket
from hil.rig.pictures import BARS, Scene, black
from hil.rig.usb_device import Stalled
from hil.rig.uvc_controls import GET_CUR, GET_DEF, GET_INFO, GET_MAX, GET_MIN, GET_RES, SET_CUR
from tests.hil.rig.guest import LIMIT_S, Guest, plugged_in
from tests.hil.rig.seen import luma, seen
from tests.hil.rig.video import FROM_INTERFACE, HD, MJPEG, QUIET_S, QVGA, TO_INTERFACE, VGA, YUYV, Video

pytestmark = pytest.mark.real

GREY = Scene(lit=lambda size: np.full((size.height, size.width, 3), 120, np.uint8), dark=black)
BRIGHTNESS, GAIN, MODE, EXPOSURE = (0x0200, 0x0200), (0x0400, 0x0200), (0x0200, 0x0100), (0x0400, 0x0100)


@pytest.fixture
def camera() -> CameraPeer:
    return CameraPeer(serial="CAM1", scene=GREY)


@asynccontextmanager
async def filmed(tmp_path: Path, camera: CameraPeer) -> AsyncIterator[tuple[Guest, Video]]:
    async with plugged_in(tmp_path / "usb.sock", camera) as (guest, _):
        yield guest, Video(guest)


async def brightness(video: Video) -> float:
    return luma((await video.frame()).data, PixelFormat.MJPEG, uvc.QVGA)


async def until(video: Video, fits: Callable[[float], bool]) -> None:
    """Take frames until one is as bright as that."""
    async with asyncio.timeout(LIMIT_S):
        while not fits(await brightness(video)):
            pass


@pytest.mark.parametrize(
    ("form", "frame", "pixel_format", "size"),
    [
        (MJPEG, QVGA, PixelFormat.MJPEG, uvc.QVGA),
        (MJPEG, HD, PixelFormat.MJPEG, uvc.HD),
        (YUYV, VGA, PixelFormat.YUYV, uvc.VGA),
        (YUYV, HD, PixelFormat.YUYV, uvc.HD),
    ],
)
async def test_frames_come_in_the_format_and_size_agreed_on(
    tmp_path: Path, form: int, frame: int, pixel_format: PixelFormat, size: Size
) -> None:
    camera = CameraPeer(serial="CAM1", scene=BARS)
    async with filmed(tmp_path, camera) as (_, video):
        await video.start(form, frame)
        first, second = await video.frame(), await video.frame()

    difference = seen(first.data, pixel_format, size).astype(int) - BARS.lit(size)
    assert abs(difference.mean()) < 2
    assert first.data != second.data
    assert (first.odd, first.damaged) == (not second.odd, second.damaged)


async def test_it_is_known_by_its_name_and_serial_number(tmp_path: Path) -> None:
    camera = CameraPeer(serial="A1B2C3", product="Duct Camera upstream", scene=GREY)
    async with filmed(tmp_path, camera) as (guest, _):
        names = [(await guest.descriptor(3, n))[2:].decode("utf-16le") for n in (1, 2, 3)]

    assert names == ["Ductwatch Rig", "Duct Camera upstream", "A1B2C3"]


async def test_each_frame_sent_is_on_record_with_its_moment_and_its_light(tmp_path: Path, camera: CameraPeer) -> None:
    light = [0.0]
    camera.light = lambda: light[0]
    async with filmed(tmp_path, camera) as (_, video):
        await video.start()
        assert await brightness(video) < 5
        light[0] = 1.0
        await until(video, lambda brightness: brightness >= 115)

    assert camera.frames_sent == len(camera.sent)
    first, last = camera.sent[0], camera.sent[-1]
    assert (first.light, last.light, first.pixel_format, first.size) == (0.0, 1.0, PixelFormat.MJPEG, uvc.QVGA)
    assert first.at_ns < last.at_ns
    assert first.number < last.number


async def test_a_guest_that_is_slow_misses_frames_and_gets_new_ones(tmp_path: Path, camera: CameraPeer) -> None:
    async with filmed(tmp_path, camera) as (guest, video):
        await video.agree(YUYV, QVGA, 30)
        async with asyncio.timeout(LIMIT_S):
            while camera.frames_dropped < 3:
                await guest.descriptor(1)
        assert camera.frames_sent == 0
        await video.start(YUYV, QVGA, 30)
        await video.frame()

    assert camera.frames_sent == 1


async def test_a_stopped_stream_sends_and_drops_nothing_and_starts_with_a_whole_frame(
    tmp_path: Path, camera: CameraPeer
) -> None:
    async with filmed(tmp_path, camera) as (guest, video):
        await video.start(MJPEG, VGA)
        await video.frame()
        await video.stop()
        assert camera.streams is None
        dropped = camera.frames_dropped
        again = Video(guest)
        await again.start(MJPEG, QVGA)
        frame = await again.frame()

    assert seen(frame.data, PixelFormat.MJPEG, uvc.QVGA).shape == (240, 320, 3)
    assert camera.frames_dropped == dropped


async def test_transfers_smaller_than_a_payload_are_filled_one_after_the_other(
    tmp_path: Path, camera: CameraPeer
) -> None:
    async with filmed(tmp_path, camera) as (guest, _):
        video = Video(guest, urb_bytes=4096)
        await video.start(YUYV, QVGA)

        assert len((await video.frame()).data) == 320 * 240 * 2
        assert len((await video.frame()).data) == 320 * 240 * 2


async def test_cancelled_transfers_do_not_tear_a_frame(tmp_path: Path, camera: CameraPeer) -> None:
    async with filmed(tmp_path, camera) as (guest, video):
        number, _ = guest.submit(uvc.STREAM_ENDPOINT, uvc.PAYLOAD_BYTES)
        guest.send(CancelDataPacket(), number)
        await video.start(YUYV, QVGA)

        assert len((await video.frame()).data) == 320 * 240 * 2


@pytest.mark.parametrize(
    ("control", "value", "expected"),
    [(BRIGHTNESS, 40, 160), (BRIGHTNESS, -40, 80), (GAIN, 255, 240)],
    ids=["brighter", "darker", "more gain"],
)
async def test_a_control_changes_the_picture(
    tmp_path: Path, camera: CameraPeer, control: tuple[int, int], value: int, expected: int
) -> None:
    async with filmed(tmp_path, camera) as (guest, video):
        await guest.write(TO_INTERFACE, SET_CUR, *control, data=value.to_bytes(2, "little", signed=True))
        await video.start()

        assert await brightness(video) == pytest.approx(expected, abs=4)


async def test_exposure_counts_when_it_is_manual_and_is_forgotten_without_power(
    tmp_path: Path, camera: CameraPeer
) -> None:
    async with plugged_in(tmp_path / "usb.sock", camera) as (guest, port):
        video = Video(guest)
        await guest.write(TO_INTERFACE, SET_CUR, *EXPOSURE, data=(50).to_bytes(4, "little"))
        await video.start()
        assert await brightness(video) == pytest.approx(120, abs=4)
        await guest.write(TO_INTERFACE, SET_CUR, *MODE, data=b"\x01")
        await until(video, lambda brightness: brightness <= 70)
        assert await brightness(video) == pytest.approx(60, abs=4)
        port.unplug()
        port.plug()
        await guest.attached()
        assert await guest.read(FROM_INTERFACE, GET_CUR, *MODE) == b"\x08"


async def test_a_control_tells_its_range_and_why_it_refused(tmp_path: Path, camera: CameraPeer) -> None:
    async with filmed(tmp_path, camera) as (guest, _):
        span = [await guest.read(FROM_INTERFACE, ask, *BRIGHTNESS, length=2) for ask in (GET_MIN, GET_MAX, GET_RES)]
        assert [int.from_bytes(value, "little", signed=True) for value in span] == [-64, 64, 1]
        assert await guest.read(FROM_INTERFACE, GET_RES, *MODE) == b"\x09"
        assert await guest.read(FROM_INTERFACE, GET_INFO, *EXPOSURE) == b"\x03"
        assert await guest.read(FROM_INTERFACE, GET_DEF, *EXPOSURE) == (200).to_bytes(4, "little")
        with pytest.raises(Stalled):
            await guest.write(TO_INTERFACE, SET_CUR, *MODE, data=b"\x04")
        assert await guest.read(FROM_INTERFACE, GET_CUR, 0x0200, 0) == b"\x04"
        with pytest.raises(Stalled):
            await guest.read(FROM_INTERFACE, GET_CUR, 0x0700, 0x0200)
        assert await guest.read(FROM_INTERFACE, GET_CUR, 0x0200, 0) == b"\x06"


@pytest.mark.parametrize("form", [MJPEG, YUYV], ids=["MJPEG", "YUYV"])
async def test_a_frozen_camera_sends_the_same_bytes_until_it_thaws(
    tmp_path: Path, camera: CameraPeer, form: int
) -> None:
    async with filmed(tmp_path, camera) as (_, video):
        await video.start(form, QVGA)
        await video.frame()
        camera.fault = CameraFault.FROZEN
        camera.look_at(BARS)
        frozen = [(await video.frame()).data for _ in range(4)]
        camera.fault = CameraFault.NONE
        thawed = [(await video.frame()).data for _ in range(3)]

    assert len(set(frozen[1:])) == 1
    assert thawed[-1] not in frozen


async def test_a_truncated_frame_is_seen_to_be(tmp_path: Path, camera: CameraPeer) -> None:
    camera.fault = CameraFault.TRUNCATED
    async with filmed(tmp_path, camera) as (guest, video):
        await video.start()
        jpeg = (await video.frame()).data
        await video.stop()
        raw = Video(guest)
        await raw.start(YUYV, QVGA)
        assert len((await raw.frame()).data) == 320 * 240

    with pytest.raises(Corrupt, match="no end of image"):
        whole_mjpeg(jpeg)


async def test_a_corrupt_frame_looks_whole_until_it_is_decoded(tmp_path: Path, camera: CameraPeer) -> None:
    camera.fault = CameraFault.CORRUPT
    async with filmed(tmp_path, camera) as (guest, video):
        await video.start()
        jpeg = (await video.frame()).data
        await video.stop()
        raw = Video(guest)
        await raw.start(YUYV, QVGA)
        assert (await raw.frame()).damaged

    whole_mjpeg(jpeg)
    with pytest.raises(ValueError, match="JPEG"):
        seen(jpeg, PixelFormat.MJPEG, uvc.QVGA)


@pytest.mark.parametrize("fault", [CameraFault.SILENT, CameraFault.HUNG], ids=["silent", "hung"])
async def test_a_camera_that_sends_nothing_goes_on_when_the_fault_is_over(
    tmp_path: Path, camera: CameraPeer, fault: CameraFault
) -> None:
    async with filmed(tmp_path, camera) as (_, video):
        await video.start()
        await video.frame()
        camera.fault = fault
        async with asyncio.timeout(LIMIT_S):
            while not await video.is_silent():
                await video.frame()  # that was on its way
        camera.fault = CameraFault.NONE
        await video.frame()


async def test_a_hung_camera_answers_no_request(tmp_path: Path, camera: CameraPeer) -> None:
    async with filmed(tmp_path, camera) as (guest, _):
        camera.fault = CameraFault.HUNG
        _, answer = guest.send(ControlPacket(0x80, GET_CUR, FROM_INTERFACE, 0, *BRIGHTNESS, 2))
        answered, _ = await asyncio.wait([answer], timeout=QUIET_S)
        assert not answered


async def test_what_it_looks_at_may_change_while_it_streams(tmp_path: Path, camera: CameraPeer) -> None:
    async with filmed(tmp_path, camera) as (_, video):
        await video.start()
        await video.frame()
        camera.look_at(Scene(lit=black, dark=black))
        await until(video, lambda brightness: brightness <= 5)
