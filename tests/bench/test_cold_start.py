from __future__ import annotations

import os
import sys

import pytest

from bench.cold_start import Import, first_line_s, slowest

LOG = """import time: self [us] | cumulative | imported package
import time:       111 |        111 |   zipimport
2026-05-01 12:00:00 [info] a line of the log
import time:      5000 |       5000 |     numpy._core
import time:      1900 |       6900 |   numpy
"""


def test_imports_are_listed_by_their_own_time() -> None:
    assert slowest(LOG) == [
        Import("numpy._core", 5000, 5000),
        Import("numpy", 1900, 6900),
        Import("zipimport", 111, 111),
    ]


@pytest.mark.real
def test_a_command_that_fails_is_not_taken_for_a_fast_one() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        first_line_s([sys.executable, "-S", "-c", "raise SystemExit(3)"], os.environ)
