from __future__ import annotations

import subprocess
import sys

import pytest

from firmware import realtime

pytestmark = pytest.mark.real


THREADS = """
import os, threading
from firmware import realtime
over = threading.Event()
def start():
    thread = threading.Thread(target=over.wait, daemon=True)
    thread.start()
    return thread.native_id
threads = [os.getpid(), start()]
realtime.make_urgent(1)
threads.append(start())
print(*map(os.sched_getscheduler, threads))
"""


def test_a_thread_from_before_and_one_from_after_are_as_urgent_as_the_first() -> None:
    """A thread that lets go of the processor while it holds the interpreter's lock would hold up all others."""
    said = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, check=True, timeout=30
    ).stdout

    first, before, after = said.split()  # SCHED_OTHER, all three, where it is not granted
    assert first == before == after


def test_what_was_not_granted_is_said_with_its_remedy() -> None:
    lacks = realtime.lacking(priority=50, memory_locked=False)

    assert [remedy for _, remedy in lacks] == [realtime.GRANT_PRIORITY, realtime.GRANT_MEMORY]


def test_what_was_not_wanted_is_not_missed() -> None:
    assert realtime.lacking(priority=0, memory_locked=True) == []
