from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from drivers.faults import Fault
from drivers.gpio.lines import drive, open_chip

needs_lgpio = pytest.mark.skipif(find_spec("lgpio") is None, reason="lgpio is not installed: Python 3.13 has no wheel")

REPOSITORY = Path(__file__).parents[3]
OPEN = f"""
import sys; sys.path.insert(0, {str(REPOSITORY)!r})
from drivers.faults import Fault
from drivers.gpio.lines import open_chip
import os, threading
def attempt():
    try:
        open_chip("/dev/gpiochip99")
    except Fault as fault:
        faults.append(str(fault))
faults = []
before = os.getcwd()
threads = [threading.Thread(target=attempt) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert os.getcwd() == before
print(*faults, sep="\\n")
"""


@pytest.mark.parametrize(
    ("level", "active_high", "pwm_hz", "expected"),
    [
        (0.0, True, 0.0, (None, 0.0)),
        (1.0, True, 0.0, (None, 1.0)),
        (0.7, True, 0.0, (None, 1.0)),
        (0.7, False, 0.0, (None, 0.0)),
        (0.0, False, 100.0, (None, 1.0)),
        (1.0, False, 100.0, (None, 0.0)),
        (0.25, True, 100.0, (100.0, 0.25)),
        (0.25, False, 100.0, (100.0, 0.75)),
    ],
    ids=["off", "on", "nearer on", "on when low", "off, pwm", "on, pwm", "dimmed", "dimmed when low"],
)
def test_what_goes_onto_the_wire(
    level: float, active_high: bool, pwm_hz: float, expected: tuple[float | None, float]
) -> None:
    assert drive(level, active_high=active_high, pwm_hz=pwm_hz) == expected


@needs_lgpio
@pytest.mark.real
@pytest.mark.parametrize("chip", ["/dev/gpiochip99", "pinctrl-nowhere", "/dev/null"])
def test_a_chip_that_is_not_there_is_refused_and_those_that_are_there_are_listed(chip: str) -> None:
    with pytest.raises(Fault, match=rf"there is no GPIO chip {chip}\. (Set chip to one of|Connect it)"):
        open_chip(chip)


@pytest.mark.real
def test_a_missing_lgpio_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "lgpio.py").write_text('"""PyPI\'s placeholder for Python 3.13."""\n')

    said = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{OPEN}"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip

    lines = said.splitlines()
    assert len(lines) == 8
    assert all(line.startswith("the library lgpio is not usable") for line in lines)
    assert "apt install python3-lgpio, and make the environment with: python3 -m venv --system-site-packages." in said


@needs_lgpio
@pytest.mark.real
def test_lgpio_is_imported_by_many_lines_at_once_where_nothing_may_be_written_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    for directory in (Path("/proc"), tmp_path):
        said = subprocess.run(
            [sys.executable, "-c", OPEN], cwd=directory, capture_output=True, text=True, check=True, timeout=60
        )
        assert said.stdout.count("there is no GPIO chip /dev/gpiochip99") == 8, said.stderr
    assert list(tmp_path.iterdir()) == []
