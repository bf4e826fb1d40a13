from __future__ import annotations

import os
import queue

import pytest

from drivers.worker import Worker
from firmware import realtime

pytestmark = pytest.mark.real


def test_every_thread_that_an_urgent_one_starts_is_as_urgent() -> None:
    """A thread that lets go of the processor while it holds the interpreter's lock would hold up all others."""
    policies: queue.Queue[int] = queue.Queue()

    def start_another() -> None:
        realtime.make_urgent(1)
        policies.put(os.sched_getscheduler(0))  # SCHED_OTHER where it is not granted
        Worker("camera", on_start=lambda: policies.put(os.sched_getscheduler(0))).close()

    Worker("loop", on_start=start_another).close()

    assert policies.get(timeout=30) == policies.get(timeout=30)


def test_what_was_not_granted_is_said_with_its_remedy() -> None:
    lacks = realtime.lacking(priority=50, memory_locked=False)

    assert [remedy for _, remedy in lacks] == [realtime.GRANT_PRIORITY, realtime.GRANT_MEMORY]


def test_what_was_not_wanted_is_not_missed() -> None:
    assert realtime.lacking(priority=0, memory_locked=True) == []
