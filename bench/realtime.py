"""How late verdicts and event loop are, on an idle machine and a busy one, with and without real-time priority."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.frames import ducts, write_folder
from bench.punctual import Rank, Record
from bench.results import Bar, Chart, Result, Row, Setup
from bench.timing import NS_PER_MS, percentile
from model.shipped import shipped_bundle

HOGS = 4
FRAME_BYTES = 100_000
START_S = 60.0  # a child imports numpy and renders nothing, but four hogs may be in its way
SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
RANKS = {
    Rank.NONE: "no priority",
    Rank.TWO: "SCHED_FIFO for loop and classifier only",
    Rank.ALL: "SCHED_FIFO for all threads (ductwatch)",
}
HOW = (
    "A process of the firmware's own parts judges a 1280x720 MJPEG frame of 100 kB every 10 ms: live camera with its "
    "thread, photographer, judging stage, classifier in its worker; only the device is played. Latency from the "
    "moment that the frame was due to the verdict; lag is how late a 10 ms timer of the event loop fires (epoll itself "
    "rounds up to 1 ms). With priority, memory is locked (mlockall, on fault) and garbage settled. Busy: four loops "
    "that do nothing, at normal priority. All in turn, rounds pooled."
)


class Sample(msgspec.Struct, frozen=True):
    """What `bench.punctual` prints."""

    verdict_ns: list[int]
    lag_ns: list[int]
    unclassified: int
    lacking: list[str]


def measure(setup: Setup) -> Result:
    seconds, rounds = setup.choose(15, 2), setup.choose(5, 1)
    pooled = {(busy, rank): Record() for busy in (False, True) for rank in RANKS}
    lacking: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-") as folder:
        setup.progress("drawing ducts")
        pictures = Path(folder) / "pictures"
        write_folder(ducts(), pictures, FRAME_BYTES)
        for number in range(rounds):
            for (busy, rank), record in pooled.items():
                setup.progress(f"round {number + 1} of {rounds}: {_label(busy, rank)}, {seconds} s")
                with hogs(HOGS if busy else 0):
                    sample = _sample(pictures, setup.model or shipped_bundle(), rank, seconds)
                record.verdict_ns += sample.verdict_ns
                record.lag_ns += sample.lag_ns
                record.unclassified += sample.unclassified
                lacking.update(sample.lacking)
    return Result(
        name="realtime",
        title="Frame to verdict and loop lag, a frame every 10 ms",
        how=HOW,
        columns=tuple(f"{what} {name} ms" for what in ("verdict", "lag") for name in SHARES),
        rows=tuple(
            Row(_label(busy, rank), (*_percentiles(record.verdict_ns), *_percentiles(record.lag_ns)))
            for (busy, rank), record in pooled.items()
        ),
        chart=Chart(unit="ms to 99.9 % of the verdicts", logarithmic=True, bars=tuple(_bars(pooled))),
        notes=(_granted(lacking),),
        details={
            "seconds_a_round": seconds,
            "rounds": rounds,
            "verdicts": {_label(*key): len(record.verdict_ns) for key, record in pooled.items()},
            "same_picture_twice": {_label(*key): record.unclassified for key, record in pooled.items()},
        },
    )


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """So many processes that each want a core all the time."""
    running = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()


def _sample(pictures: Path, bundle: Path, rank: Rank, seconds: int) -> Sample:
    command = [sys.executable, "-m", "bench.punctual", str(pictures), "--seconds", str(seconds), "--rank", rank.value]
    done = subprocess.run(
        [*command, "--model", str(bundle)], stdout=subprocess.PIPE, check=True, timeout=seconds + START_S
    )
    return msgspec.json.decode(done.stdout, type=Sample)


def _percentiles(values: list[int]) -> tuple[float, ...]:
    return tuple(percentile(values, share) / NS_PER_MS for share in SHARES.values())


def _bars(pooled: dict[tuple[bool, Rank], Record]) -> Iterator[Bar]:
    for (busy, rank), record in pooled.items():
        value = percentile(record.verdict_ns, SHARES["p99.9"]) / NS_PER_MS
        yield Bar(label=_label(busy, rank).removesuffix(" (ductwatch)"), value=value)


def _label(busy: bool, rank: Rank) -> str:
    return f"{'4 hogs' if busy else 'idle'}, {RANKS[rank]}"


def _granted(lacking: set[str]) -> str:
    if lacking:
        return f"Not granted here, so that these rows are no better than the first: {', '.join(sorted(lacking))}."
    return "SCHED_FIFO and locked memory were granted."
