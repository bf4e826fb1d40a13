from __future__ import annotations

import os
import struct
import threading
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from drivers.camera.jpeg import encode_jpeg
from drivers.camera.recordings import FIRST_WINDOW_BYTES
from drivers.camera.replay import ReplayCamera, ReplaySettings
from drivers.clock import MonotonicClock, SimulatedClock
from drivers.errors import Absent, BadData, Lost
from drivers.settings import from_table
from drivers.types import NS_PER_S, Frame, PixelFormat

pytestmark = pytest.mark.real


def picture(grey: int, width: int = 32) -> bytes:
    return encode_jpeg(np.full((16, width, 3), grey, dtype=np.uint8))


DARK, MIDDLE, LIGHT = (picture(grey) for grey in (10, 128, 240))


def folder(path: Path, **files: bytes) -> Path:
    for name, content in files.items():
        (path / f"{name}.jpg").write_bytes(content)
    return path


def avi(*pictures: bytes) -> bytes:
    """As cameras and ffmpeg write it: RIFF, a list `movi` with one chunk a picture, padded to even length."""
    chunks = b"".join(b"00dc" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for data in pictures)
    movi = b"LIST" + struct.pack("<I", len(chunks) + 4) + b"movi" + chunks
    return b"RIFF" + struct.pack("<I", len(movi) + 4) + b"AVI " + movi


def camera(path: Path, **keys: Any) -> ReplayCamera:
    return ReplayCamera(ReplaySettings(name="duct-left", path=path, **({"rate": 240.0} | keys)), MonotonicClock())


async def take(camera: ReplayCamera, count: int) -> list[Frame]:
    async with camera, aclosing(camera.frames()) as frames:
        return [await anext(frames) for _ in range(count)]


def shown(frames: list[Frame]) -> list[bytes]:
    return [bytes(frame.payload) for frame in frames]


async def test_a_folder_is_shown_in_the_order_of_names_again_and_again(tmp_path: Path) -> None:
    path = folder(tmp_path, b=MIDDLE, c=LIGHT, a=DARK)

    frames = await take(camera(path), 4)

    assert shown(frames) == [DARK, MIDDLE, LIGHT, DARK]
    assert [frame.sequence for frame in frames] == [1, 2, 3, 4]
    assert (frames[0].width, frames[0].height, frames[0].pixel_format) == (32, 16, PixelFormat.MJPEG)
    assert all(frame.at == frame.captured_ns for frame in frames)


async def test_the_next_snapshot_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    left = camera(folder(tmp_path, a=DARK, b=MIDDLE, c=LIGHT))

    assert shown(await take(left, 2)) == [DARK, MIDDLE]
    assert shown(await take(left, 2)) == [LIGHT, DARK]


async def test_a_recording_that_is_not_to_loop_ends_in_a_lost_camera(tmp_path: Path) -> None:
    left = camera(folder(tmp_path, a=DARK, b=LIGHT), loop=False)

    with pytest.raises(Lost, match=r"duct-left: the recording ended after 2 pictures. Set loop = true"):
        await take(left, 3)


async def test_damaged_pictures_are_left_out_and_counted(tmp_path: Path) -> None:
    left = camera(folder(tmp_path, a=DARK[:-2], b=b"", c=b"II*\0 a TIFF", d=LIGHT))

    assert shown(await take(left, 1)) == [LIGHT]
    assert left.corrupt == 3


async def test_a_folder_of_damaged_pictures_is_bad_data(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"10 damaged pictures in a row, the last one b.jpg"):
        await take(camera(folder(tmp_path, a=DARK[:-2], b=b"")), 1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(DARK + MIDDLE + LIGHT, id="one after another"),
        pytest.param(avi(DARK, MIDDLE, LIGHT), id="AVI"),
        pytest.param(avi(DARK, MIDDLE[:-9], MIDDLE, LIGHT), id="AVI with a damaged picture"),
        pytest.param(DARK + bytes(FIRST_WINDOW_BYTES + 5) + MIDDLE + LIGHT[:-2] + LIGHT, id="far apart"),
        pytest.param(avi(DARK, MIDDLE, LIGHT)[:-1], id="AVI cut off behind the last picture"),
    ],
)
async def test_a_video_is_shown_picture_by_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "duct.avi"
    path.write_bytes(content)

    assert shown(await take(camera(path), 4)) == [DARK, MIDDLE, LIGHT, DARK]


@pytest.mark.parametrize(
    ("files", "path", "said"),
    [
        ({}, "", "no .jpg files in .*, nothing. Put JPEG files there"),
        ({"a.png": b"", "b.PNG": b"", "notes.txt": b""}, "", r"only .PNG, .png, .txt. Put JPEG .* mogrify"),
        ({"duct.mp4": bytes(5000)}, "duct.mp4", "no Motion-JPEG pictures in .*duct.mp4. Convert it: ffmpeg"),
        ({"duct.avi": b""}, "duct.avi", "no Motion-JPEG pictures in"),
        ({}, "missing", "missing: No such file or directory. Check `path`"),
    ],
    ids=["empty folder", "other pictures", "another codec", "empty file", "nothing there"],
)
async def test_nothing_to_replay_is_an_absent_camera(
    tmp_path: Path, files: dict[str, bytes], path: str, said: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    with pytest.raises(Absent, match=f"duct-left: .*{said}"):
        await take(camera(tmp_path / path), 1)


async def test_pictures_come_at_the_set_rate_in_the_ducts_time(tmp_path: Path) -> None:
    settings = ReplaySettings(name="duct-left", path=folder(tmp_path, a=DARK, b=LIGHT), rate=0.1)
    left = ReplayCamera(settings, SimulatedClock(factor=10_000))

    frames = await take(left, 4)

    assert [frame.at // NS_PER_S for frame in frames] == [0, 10, 20, 30]


@pytest.mark.parametrize("rate", [0, -1, 1000])
def test_an_impossible_rate_is_refused(rate: float) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"must be from 0.001 to 240 frames a second"):
        from_table({"name": "a", "driver": "replay", "path": "/srv/duct", "rate": rate}, ReplaySettings)


async def test_a_share_that_hangs_costs_one_thread_however_often_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")  # opening it waits for a writer
    hung = ReplayCamera(ReplaySettings(name="hung", path=tmp_path), MonotonicClock(), read_limit_s=0.05)

    for problem in ("no picture read within 0.05 s", "reading still hangs", "reading still hangs"):
        with pytest.raises(Lost, match=f"hung: {problem}"):
            await take(hung, 1)
    threads = [thread for thread in threading.enumerate() if thread.name == "camera hung"]
    (tmp_path / "a.jpg").write_bytes(b"")  # lets it go

    assert len(threads) == 1
