from __future__ import annotations

import os
import time

import pytest

from bench.process import cpu_ns, memory

pytestmark = pytest.mark.real


def test_memory_that_was_touched_is_resident() -> None:
    before = memory(os.getpid())
    held = bytearray(b"x") * 50_000_000

    after = memory(os.getpid())
    assert after.resident - before.resident > 40
    assert after.private - before.private > 40
    assert after.peak >= after.resident - 1
    del held


def test_processor_time_of_another_process_is_that_of_its_own_clock() -> None:
    before_ns = time.process_time_ns()
    seen_ns = cpu_ns(os.getpid())

    assert before_ns <= seen_ns <= time.process_time_ns()
