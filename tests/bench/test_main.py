from __future__ import annotations

import subprocess
import sys

import pytest

from bench.__main__ import BENCHMARKS

pytestmark = pytest.mark.real


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, check=False)


def test_help_names_every_benchmark() -> None:
    shown = bench("--help")

    assert shown.returncode == 0
    assert all(f"  {name} " in shown.stdout for name in BENCHMARKS)


def test_an_unknown_benchmark_is_refused_before_anything_is_measured() -> None:
    refused = bench("pipeline", "speed")

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "no benchmark 'speed': choose from pipeline, realtime" in refused.stderr
