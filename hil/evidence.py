"""What is kept of a failed test: the board's console and journal, the broker's messages, the pictures in view."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import simplejpeg

from drivers.types import PixelFormat
from hil.rig.camera import SentFrame
from hil.rig.pictures import Scene
from hil.rig.uvc import VGA

JOURNAL_LIMIT_S = 30.0
JOURNAL = "journalctl -b --no-pager -o short-monotonic -n 3000"
MOST_MESSAGES = 2000
MOST_FILE_BYTES = 4 * 1024 * 1024
Files = Iterable[tuple[str, bytes]]
SUFFIXES = {PixelFormat.MJPEG: "jpg", PixelFormat.YUYV: "yuyv"}


def keep(folder: Path, test: str, machine: Any = None, bench: Any = None, files: Iterable[Path] = ()) -> Path:
    """Write it to a folder named after the test, and return that.

    `machine` and `bench` are those of the test, if it has them; `files` are kept as they are. What cannot be had is
    named in `missing.txt`: this looks into boards that are broken.
    """
    kept = folder / re.sub(r"[^\w-]+", "-", test)[:120]
    kept.mkdir(parents=True, exist_ok=True)
    missing = []
    for what, write in _items(machine, bench, files):
        try:
            for name, content in write():
                (kept / name).write_bytes(content)
        except Exception as error:  # noqa: BLE001  # whatever is wrong: the rest is kept, and the run goes on
            missing.append(f"{what}: {type(error).__name__}: {error}")
    if missing:
        (kept / "missing.txt").write_text("\n".join(missing) + "\n")
    return kept


def _items(machine: Any, bench: Any, files: Iterable[Path]) -> Iterator[tuple[str, Callable[[], Files]]]:
    """What is kept: its name, and the files that it makes."""
    if machine is not None and hasattr(machine.power, "console"):
        yield "console", lambda: [("console.txt", bytes(machine.power.console))]
    if machine is not None:
        yield "journal", lambda: [("journal.txt", _journal(machine.shell))]
    if bench is not None:
        yield "messages", lambda: [("messages.txt", _messages(bench))]
        yield "bench", lambda: [("bench.json", json.dumps(bench.state(), indent=2).encode())]
        yield "what was before the lenses", lambda: _looks(bench.scenes())
        yield "what the cameras sent", lambda: _pictures(bench.pictures(), time.monotonic_ns())
    for file in files:
        yield file.name, partial(_copy, file)


def _journal(shell: Any) -> bytes:
    out, _, _ = shell.run(JOURNAL, timeout=JOURNAL_LIMIT_S)
    return "\n".join(out).encode()


def _messages(bench: Any) -> bytes:
    return b"\n".join(
        message.topic.encode() + b" " + message.payload for message in bench.messages.since(-MOST_MESSAGES)
    )


def _looks(scenes: dict[str, Scene]) -> Files:
    for name, scene in scenes.items():
        for light, look in (("lit", scene.lit), ("dark", scene.dark)):
            yield f"{name}-{light}.jpg", simplejpeg.encode_jpeg(look(VGA), quality=85, colorspace="RGB")


def _pictures(pictures: dict[str, list[tuple[SentFrame, bytes]]], now_ns: int) -> Files:
    """Named by their number, their age and the light that fell in."""
    for camera, sent in pictures.items():
        for frame, data in sent:
            age_s = (now_ns - frame.at_ns) / 1e9
            size = f"{frame.size.width}x{frame.size.height}.{SUFFIXES[frame.pixel_format]}"
            yield f"{camera}-sent-{frame.number:05}-{age_s:.1f}s-ago-light-{frame.light:.2f}-{size}", data


def _copy(file: Path) -> Files:
    return [(file.name, file.read_bytes()[-MOST_FILE_BYTES:])]
