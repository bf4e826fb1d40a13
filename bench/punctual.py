"""`python -m bench.punctual`: judges a frame every 10 ms in this process, and prints how late each verdict was.

The firmware's own parts do the work: a live camera with its thread, the photographer that aims, the judging stage with
its worker. Only the device is played: a capture whose frames are due, and stamped, every 10 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path

from bench.frames import HEIGHT, WIDTH
from drivers.camera.capture import Capture, Stream, Taken
from drivers.camera.live import LiveCamera, Patience
from drivers.camera.negotiate import Size
from drivers.clock import MonotonicClock
from drivers.types import NS_PER_S, PixelFormat, SourceId
from drivers.worker import Worker
from firmware import realtime
from firmware.judging import judge
from firmware.observations import Observation
from firmware.photography import Lighting, Photographer, Shot
from firmware.plan import load_classifier
from firmware.sampling import every
from firmware.streams import Latest
from firmware.supervisor import Pulse
from firmware.vitals import Vitals
from model.budget import LatencyBudget
from model.cleanliness import SUPPLY_DUCTS
from model.smoothing import Smoothing
from model.types import Verdict

PERIOD_NS = NS_PER_S // 100
SETTLE_S = 1.0  # at the start, not counted
PRIORITY = 50  # as the firmware's default
CAMERA = SourceId("upstream")


class Rank(Enum):
    """Which threads get real-time priority. With any, memory is locked and garbage settled, as the firmware does."""

    NONE = "none"
    TWO = "two"  # the loop's and the classifier's: no other inherits it
    ALL = "all"  # what the firmware does


class PlayedCapture:
    """A device that has a frame ready every `PERIOD_NS`. `newest` returns in the moment that the next one is due."""

    def __init__(self, pictures: Sequence[bytes]) -> None:
        self.stream = Stream("played", PixelFormat.MJPEG, Size(WIDTH, HEIGHT), 0)
        self._pictures = pictures
        self._sequence = 0
        self._due_ns = time.monotonic_ns()

    def newest(self, wait_s: float) -> Taken | None:
        """A frame that was due before anybody asked is handed out with the stamp that it has."""
        del wait_s  # the next frame is nearer than that
        left_ns = self._due_ns - time.monotonic_ns()
        if left_ns > 0:
            time.sleep(left_ns / NS_PER_S)
        captured_ns = self._due_ns
        late = max(0, time.monotonic_ns() - captured_ns) // PERIOD_NS
        self._due_ns += PERIOD_NS * (1 + late)
        self._sequence += 1
        data = self._pictures[self._sequence % len(self._pictures)]
        return Taken(data=data, damaged=False, captured_ns=captured_ns, sequence=self._sequence, skipped=late)

    def start(self) -> None:
        self._due_ns = time.monotonic_ns() + PERIOD_NS

    def discard(self, wait_s: float) -> int:
        return int(self.newest(wait_s) is not None)

    def stop(self) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Record:
    verdict_ns: list[int] = field(default_factory=list)
    lag_ns: list[int] = field(default_factory=list)
    unclassified: int = 0  # the same picture came twice, because all between them were overwritten


async def watch(seconds: float, pictures: Sequence[bytes], bundle: Path, *, raise_thread: Callable[[], None]) -> Record:
    """Aim, judge and measure the loop's lag, for so long."""
    clock = MonotonicClock()
    record = Record()
    shots: Latest[Shot] = Latest()
    camera = LiveCamera(CAMERA, "played", partial(_open, pictures), Patience(3.0, 0, 0.0), clock)
    vitals = Vitals(_hear, clock.now)
    lighting = Lighting(level=1.0, settle_s=0.0, limit_s=5.0, dark_frame=False)
    photographer = Photographer([camera], None, lighting, clock, vitals, _hear_choice)
    judging = judge(
        shots,
        clock=clock,
        classifier=load_classifier(bundle),
        worker=Worker("classifier", on_start=raise_thread),
        smoothing=Smoothing(needed=2, of=3),
        limits=SUPPLY_DUCTS,
        budget=LatencyBudget(150.0),
        say=_hear,
        keep=partial(_note, record),
        pulse=Pulse(30.0, time.monotonic),
    )
    try:
        async with asyncio.timeout(SETTLE_S + seconds), asyncio.TaskGroup() as group:
            group.create_task(judging)
            group.create_task(photographer.aim(1, shots.put))
            group.create_task(_measure_lag(record, clock))
            await asyncio.sleep(SETTLE_S)
            record.verdict_ns.clear()
            record.lag_ns.clear()
            record.unclassified = 0
            await asyncio.Event().wait()
    except TimeoutError:
        return record
    raise RuntimeError("ended before its time")


def _open(pictures: Sequence[bytes]) -> Capture:
    return PlayedCapture(pictures)


def _hear_choice(_camera: SourceId, _description: str) -> None:
    """What the camera chose is known."""


def _hear(_: Observation) -> None:
    """Nobody listens: the verdicts are taken by `_note`."""


def _note(record: Record, _: Shot, verdict: Verdict) -> None:
    record.verdict_ns.append(verdict.latency_ns)
    record.unclassified += verdict.score is None


async def _measure_lag(record: Record, clock: MonotonicClock) -> None:
    async for due in every(PERIOD_NS, clock):
        record.lag_ns.append(clock.now() - due)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.punctual")
    parser.add_argument("pictures", type=Path, metavar="FOLDER", help="JPEG files of 1280x720")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rank", type=Rank, required=True)
    parser.add_argument("--model", type=Path, required=True, metavar="BUNDLE")
    arguments = parser.parse_args()
    pictures = [path.read_bytes() for path in sorted(arguments.pictures.glob("*.jpg"))]
    raise_thread = RAISES[arguments.rank]
    urgent = arguments.rank is not Rank.NONE
    locked = realtime.lock_memory() if urgent else True
    raise_thread()
    if urgent:
        realtime.settle_garbage()
    record = asyncio.run(watch(arguments.seconds, pictures, arguments.model, raise_thread=raise_thread))
    lacking = [] if locked else ["locked memory"]
    if urgent and os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK != os.SCHED_FIFO:
        lacking.append("SCHED_FIFO")
    json.dump({**asdict(record), "lacking": lacking}, sys.stdout)
    return 0


def _raise_this_thread_only() -> None:
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))


RAISES: dict[Rank, Callable[[], None]] = {
    Rank.NONE: lambda: None,
    Rank.TWO: _raise_this_thread_only,
    Rank.ALL: partial(realtime.make_urgent, PRIORITY),
}

if __name__ == "__main__":
    sys.exit(main())
