"""How many bytes a new model takes for a board that has the one before, beside what others make of the same two."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from bench.delta_pairs import BASE, FOLDER, PAIRS
from bench.delta_rivals import BSDIFF, OURS, ZSTD, Contestant, contestants
from bench.results import Bar, Chart, Goal, NothingToMeasure, Result, Row, Setup
from bench.timing import in_turn
from model.errors import TO_TRAIN

AT_MOST_TIMES, AT_MOST_MB = 1.0, 20.0
CHILD_LIMIT_S: Final = 120.0
MAX_TAR_BYTES: Final = 64_000_000
HOW = (
    "Bundles of `python -m bench.delta_pairs`: EfficientNet-Lite0 up to block 11 at 160 x 160, as the shipped one, "
    "taught on rendered ducts and exported to int8 by the trainer; then taught on: "
    + "; ".join(f"{name}: {what}" for name, what in PAIRS.items())
    + ". The whole tar each time, with golden pictures, card and manifest. zstd: level 22, the base as a raw "
    "dictionary, long distance matching, a window over both. bsdiff4 as it comes. xz: no delta, preset 9e. Making: "
    "once, processor time of the thread. Applying: processor time in turn; memory in a process of its own: the most "
    "that became resident meanwhile, beside base and delta, which are in memory before."
)


class _Made(NamedTuple):
    delta: bytes
    made_s: float
    applied_ms: float
    peak_mb: float


def measure(setup: Setup, *, folder: Path = FOLDER) -> Result:
    """Raises `NothingToMeasure` if the bundles are not there."""
    tars = {name: _read(folder / f"{name}.tar") for name in (BASE, *PAIRS)}
    rivals = contestants()
    made = {pair: _measured(setup, rivals, pair, tars[BASE], tars[pair]) for pair in PAIRS}
    return Result(
        name="delta",
        title="Deltas between bundles",
        how=HOW,
        columns=("bytes", "% of the tar", "make s", "apply ms", "apply MB"),
        rows=tuple(
            Row(f"{pair}: {name}", _figures(one, len(tars[pair])))
            for pair, of_pair in made.items()
            for name, one in of_pair.items()
        ),
        goals=(
            *(_against_the_best(pair, of_pair) for pair, of_pair in made.items()),
            Goal(
                what="memory to apply one",
                value=max(of_pair[OURS].peak_mb for of_pair in made.values()),
                at_most=AT_MOST_MB,
                unit="MB",
            ),
        ),
        chart=Chart(
            unit="kB",
            logarithmic=True,
            bars=tuple(
                Bar(label=f"{pair}: {name}", value=len(one.delta) / 1000)
                for pair, of_pair in made.items()
                for name, one in of_pair.items()
            ),
        ),
        notes=("Applied by all of them to the very bytes of the target.",),
    )


def _measured(
    setup: Setup, rivals: Mapping[str, Contestant], pair: str, base: bytes, target: bytes
) -> dict[str, _Made]:
    deltas, made_s = {}, {}
    for name, rival in rivals.items():
        setup.progress(f"{pair}: made by {name}")
        started_ns = time.thread_time_ns()
        deltas[name] = rival.make(base, target)
        made_s[name] = (time.thread_time_ns() - started_ns) / 1e9
        if rival.apply(base, deltas[name]) != target:
            raise AssertionError(f"{name} does not bring {pair} back")
    setup.progress(f"{pair}: applied")
    times = in_turn(
        {name: partial(_apply, rival, base, deltas[name]) for name, rival in rivals.items()},
        rounds=setup.choose(9, 1),
        calls=1,
        progress=lambda _: None,
    )
    return {
        name: _Made(deltas[name], made_s[name], times[name].median_ms, _peak_mb(name, base, deltas[name]))
        for name in rivals
    }


def _apply(rival: Contestant, base: bytes, delta: bytes, _: int) -> None:
    rival.apply(base, delta)


def _peak_mb(name: str, base: bytes, delta: bytes) -> float:
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-") as folder:
        old, new = Path(folder) / "base", Path(folder) / "delta"
        old.write_bytes(base)
        new.write_bytes(delta)
        done = subprocess.run(
            [sys.executable, "-m", "bench.delta_rivals", name, old, new],
            stdout=subprocess.PIPE,
            check=True,
            timeout=CHILD_LIMIT_S,
        )
    return float(done.stdout)


def _figures(one: _Made, length: int) -> tuple[float, ...]:
    return len(one.delta), 100 * len(one.delta) / length, one.made_s, one.applied_ms, one.peak_mb


def _against_the_best(pair: str, made: Mapping[str, _Made]) -> Goal:
    best = min(len(made[name].delta) for name in (ZSTD, BSDIFF))
    return Goal(
        what=f"{pair}: bytes against the best of {ZSTD} and {BSDIFF}",
        value=len(made[OURS].delta) / best,
        at_most=AT_MOST_TIMES,
        unit="times",
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_TAR_BYTES)
    except FileNotFoundError as error:
        raise NothingToMeasure(
            f"{path} is missing. Make the bundles by `python -m bench.delta_pairs`. That takes more: {TO_TRAIN}"
        ) from error
