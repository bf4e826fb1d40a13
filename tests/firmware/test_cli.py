from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drivers.simulated.faults import Fault
from firmware.cli import parser

pytestmark = pytest.mark.real

DUCTWATCH = [sys.executable, "-m", "firmware"]


def ductwatch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DUCTWATCH, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_help_of_run_explains_every_fault() -> None:
    shown = ductwatch("run", "--help").stdout

    assert [fault.title for fault in Fault if fault.title not in shown] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--fault", "camera-blnd"), "Did you mean camera-blind?"),
        (("run", "--fault", "camera-blind:upstraem"), "upstream"),
        (("run", "--time-factor", "0"), "a factor from 0.1 to 1000"),
        (("run", "--for", "never"), "write seconds, or a duration such as 5min"),
        (("run", "--broker", "host:port"), "write HOST or HOST:PORT"),
        (("run", "--config", "/nowhere.toml"), "/nowhere.toml: cannot be read: No such file or directory"),
        (("detect",), "IMAGE"),
        (("model", "train", "--data", ".", "--out", ".", "--release-counter", "0"), "write a number from 1 to"),
        (("model", "train", "--data", ".", "--out", ".", "--name", "../x"), "letters, digits, dots"),
        (("rules", "check", "/nowhere.toml"), "/nowhere.toml: cannot be read"),
        ((), "COMMAND"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, tuple) else None,
)
def test_a_wrong_command_line_says_what_is_right(arguments: tuple[str, ...], message: str) -> None:
    done = ductwatch(*arguments)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_rules_that_ship_are_sound() -> None:
    done = ductwatch("rules", "check")

    assert done.returncode == 0
    assert done.stdout.endswith("rules, all sound\n")


def test_a_run_may_be_given_in_seconds_or_with_a_unit() -> None:
    assert (
        parser().parse_args(["run", "--for", "90"]).run_for == parser().parse_args(["run", "--for", "1.5min"]).run_for
    )


def test_a_full_disk_is_no_fault_of_the_programs() -> None:
    with Path("/dev/full").open("w") as full:
        command = [*DUCTWATCH, "rules", "check"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)

    said = "ductwatch: no space left on the device that it writes to: make some, and ask again\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_whoever_reads_only_the_beginning_hears_no_complaint() -> None:
    with subprocess.Popen([*DUCTWATCH, "rules", "check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()

    assert (running.returncode, said) == (1, b"")


def test_asking_for_help_does_not_load_what_only_a_board_needs() -> None:
    heavy = ("numpy", "linuxpy", "aiomqtt", "structlog", "ai_edge_litert")
    code = f"import sys, firmware.__main__; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "[]\n"
