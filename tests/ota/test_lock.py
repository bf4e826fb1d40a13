from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ota.errors import Busy
from ota.lock import locked

pytestmark = pytest.mark.real

HOLDS = """
import sys
from pathlib import Path
from ota.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_at_a_time_and_the_other_is_told_what_to_do(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(Busy, match="another update is under way"), _at_once(tmp_path):
        pass

    with _at_once(tmp_path):
        pass


def test_an_error_inside_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        _ = 1 / 0

    with _at_once(tmp_path):
        pass


def test_it_makes_the_folder(tmp_path: Path) -> None:
    with locked(tmp_path / "data" / "ota"):
        assert (tmp_path / "data" / "ota").is_dir()


def test_a_process_that_is_killed_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(Busy), _at_once(tmp_path):
            pass
        child.kill()
        child.wait()

    with _at_once(tmp_path):
        pass


def _at_once(folder: Path) -> AbstractContextManager[None]:
    return locked(folder, wait_s=0)
