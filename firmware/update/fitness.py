"""Is a model fit for this very board? Decided from what its manifest wants and what was measured here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.manifest import Manifest
from model.selftest import Answers

ANY = "any"
FEWEST_RUNS = 40  # p95 leaves two of so many above it
LEADING = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFacts:
    """`hardware`: all names that this board goes by. `image_quality`: the version of the judge that it has."""

    hardware: frozenset[str]
    runtime: str
    runtime_version: str
    image_quality: int
    latency_budget_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """From a frame to its judgement: ms, over `runs` while the cameras ran, beside the model that counts."""

    runs: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was measured. `golden`: its answers to its own golden pictures, on which the model in use has
    `accuracy_before`. `memory_mib`: by how much a process grew from loading the runtime and the model.
    """

    golden: Answers
    accuracy_before: float | None
    speed: Speed
    memory_mib: float


def misfits(manifest: Manifest, board: BoardFacts) -> list[str]:
    """Why this board cannot even try the model; empty if it can."""
    return list(_misfits(manifest, board))


def shortcomings(manifest: Manifest, board: BoardFacts, examined: Examined) -> list[str]:
    """Where the model falls short of what its manifest promises or this board allows; empty if it does not."""
    return list(_shortcomings(manifest, board, examined))


def budget_ms(manifest: Manifest, board: BoardFacts) -> float:
    """The stricter of the board's own budget and the manifest's for its class; without one for it, that for any."""
    own = [budget for name, budget in manifest.latency_budget_ms.items() if name in board.hardware - {ANY}]
    promised = min(own) if own else manifest.latency_budget_ms.get(ANY, math.inf)
    return min(promised, board.latency_budget_ms)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of `values`, of which there is one at least, do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _misfits(manifest: Manifest, board: BoardFacts) -> Iterator[str]:
    if not board.hardware & set(manifest.hardware):
        yield f"it is for {', '.join(manifest.hardware)}; this board is {', '.join(sorted(board.hardware - {ANY}))}"
    runtime = manifest.runtime
    if runtime.name != board.runtime:
        yield f"it needs the runtime {runtime.name}; this board has {board.runtime}"
    elif not _numbers(runtime.at_least) <= _numbers(board.runtime_version) < _numbers(runtime.below):
        wanted = f"at least {runtime.at_least} and below {runtime.below}"
        yield f"it needs {runtime.name} {wanted}; this board has {board.runtime_version}"
    if manifest.image_quality_at_least > board.image_quality:
        newer = manifest.image_quality_at_least
        yield f"it needs the judge of pictures in version {newer}; this firmware has version {board.image_quality}"


def _shortcomings(manifest: Manifest, board: BoardFacts, examined: Examined) -> Iterator[str]:
    golden, gate = examined.golden, manifest.golden
    if golden.agreement < gate.top1_agreement:
        yield (
            f"{golden.agreement:.0%} of {golden.pictures} golden pictures are answered as expected, "
            f"wanted {gate.top1_agreement:.0%}"
        )
    if golden.worst_lsb > gate.max_difference_lsb:
        yield f"an answer is {golden.worst_lsb} steps off what is expected, allowed {gate.max_difference_lsb}"
    before = examined.accuracy_before
    if golden.accuracy is not None and before is not None and golden.accuracy < before:
        yield f"it is right on {golden.accuracy:.0%} of the golden pictures, the model that is in use on {before:.0%}"
    speed, allowed_ms = examined.speed, budget_ms(manifest, board)
    if speed.runs < FEWEST_RUNS:
        yield f"only {speed.runs} runs were timed, which says nothing of its latency: wanted {FEWEST_RUNS}"
    elif speed.p95_ms > allowed_ms:
        yield f"95 of 100 pictures take up to {speed.p95_ms:.1f} ms while the cameras run, allowed {allowed_ms:g} ms"
    if examined.memory_mib > manifest.memory_mib:
        yield f"it takes {examined.memory_mib:.0f} MiB of memory, allowed {manifest.memory_mib:g} MiB"


def _numbers(version: str) -> tuple[int, ...]:
    """`2.1.0` and `2.1` are the same; letters after a number, as in `3.0rc1`, are passed over."""
    found = [int(match[0]) for part in version.split(".") if (match := LEADING.match(part))]
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)
