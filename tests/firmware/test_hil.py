"""`ductwatch hil play` finds the rig in a checkout, and says where it is on a board."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import drivers
import firmware

pytestmark = pytest.mark.real

LIMIT_S = 60.0


def hil_play(*options: str, at: Path) -> subprocess.CompletedProcess[str]:
    """`at` is where the packages are."""
    code = f"import sys; sys.path.insert(0, {str(at)!r}); from firmware.__main__ import main; main()"
    command = [sys.executable, "-I", "-c", code, "hil", "play", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd="/")


def installed(folder: Path) -> Path:
    """As on a board: the firmware's packages, and no `hil` beside them."""
    for package in (firmware, drivers):
        (folder / package.__name__).symlink_to(package.__path__[0])
    return folder


def test_on_a_board_it_says_in_one_line_where_the_rig_is(tmp_path: Path) -> None:
    done = hil_play(at=installed(tmp_path))

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "ductwatch: the rig comes with ductwatch's repository, not with the firmware: run `make play` in a clone.\n"
    )


def test_help_says_what_the_page_does_and_how_to_stop(tmp_path: Path) -> None:
    done = hil_play("--help", at=installed(tmp_path))

    assert done.returncode == 0
    assert all(words in " ".join(done.stdout.split()) for words in ("--port", "Ctrl-C stops everything", "make play"))


@pytest.mark.parametrize("port", ["-1", "65536", "http", ""])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    done = hil_play(f"--port={port}", at=installed(tmp_path))

    assert done.returncode == 2
    assert "write a port from 0 to 65535" in done.stderr
