"""PWM without a line to dim: what happens to the library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

needs_lgpio = pytest.mark.skipif(sys.version_info >= (3, 13), reason="lgpio has no wheel for Python 3.13")

REPOSITORY = Path(__file__).parents[3]
OPEN = f"""
import sys; sys.path.insert(0, {str(REPOSITORY)!r})
from drivers.faults import Fault
from drivers.gpio.dimmer import Dimmer
import os, threading
def attempt():
    try:
        Dimmer(99, 0, 100.0)
    except (Fault, OSError) as error:
        faults.append(str(error))
faults = []
before = os.getcwd()
threads = [threading.Thread(target=attempt) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert os.getcwd() == before
print(*faults, sep="\\n")
"""


@pytest.mark.real
def test_a_missing_lgpio_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "lgpio.py").write_text('"""PyPI\'s placeholder for Python 3.13."""\n')

    said = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{OPEN}"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip

    lines = said.splitlines()
    assert len(lines) == 8
    assert all(line.startswith("pwm_hz needs the library lgpio, which is not usable") for line in lines)
    assert "apt install python3-lgpio, and make the environment with: python3 -m venv --system-site-packages." in said


@pytest.mark.real
def test_lgpio_is_imported_by_many_lines_at_once_where_nothing_may_be_written_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    for directory in (Path("/proc"), tmp_path):
        said = subprocess.run(
            [sys.executable, "-c", OPEN], cwd=directory, capture_output=True, text=True, check=True, timeout=60
        )
        assert said.stdout.count("can not open gpiochip") == 8, said.stderr
    assert list(tmp_path.iterdir()) == []
