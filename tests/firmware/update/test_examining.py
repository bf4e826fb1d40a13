"""An examination, with a model in a process of its own that is as slow as the test says."""

from __future__ import annotations

import sys

import pytest

from firmware.update.examining import MOST_SNAPSHOTS, SNAPSHOTS, Examination, examine
from firmware.update.trial import Trial
from model.shipped import shipped_bundle
from tests.firmware.update.builders import BOARD, manifest

pytestmark = pytest.mark.real

SLOW = """
import sys
from firmware.update.questions import LENGTH, Loaded, Measured, length_of, packed
def tell(answer):
    sys.stdout.buffer.write(packed(answer))
    sys.stdout.flush()
tell(Loaded(pictures=1, agreement=1, worst_lsb=0, accuracy=None, accuracy_before=None, memory_mib=1))
while head := sys.stdin.buffer.read(LENGTH.size):
    sys.stdin.buffer.read(length_of(head))
    tell(Measured(times_ms=[100.0] * int(sys.argv[1])))
"""


async def examined(pictures_each_time: int) -> tuple[Examination, int]:
    """What came of it, and how many snapshots it asked for."""
    asked: list[None] = []
    program = (sys.executable, "-c", SLOW, str(pictures_each_time))
    async with Trial(shipped_bundle(), beside=shipped_bundle(), priority=0, program=program) as trial:
        found = await examine(trial, manifest(), BOARD, lambda: asked.append(None), measure_s=0.0)
    return found, len(asked)


async def test_a_quick_board_has_timed_enough_pictures_after_three_snapshots() -> None:
    found, snapshots = await examined(14)

    assert (found.problems, snapshots) == ((), SNAPSHOTS)


async def test_a_slow_board_takes_more_time_for_as_many_pictures() -> None:
    found, snapshots = await examined(6)

    assert (found.problems, snapshots) == ((), 7)


async def test_a_board_that_is_too_slow_for_that_says_so() -> None:
    found, snapshots = await examined(1)

    assert snapshots == MOST_SNAPSHOTS
    assert found.problems == (f"only {MOST_SNAPSHOTS} runs were timed, which says nothing of its latency: wanted 40",)
