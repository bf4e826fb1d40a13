"""What TensorFlow's own code says goes into a file; what ours says stays where it can be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

PROGRAM = """
import os, sys
from pathlib import Path
from model.training.native_messages import native_messages_into
print("before", file=sys.stderr)
with native_messages_into(Path(sys.argv[1])):
    os.write(2, b"oneDNN custom operations are on\\n")
    print("teaching", file=sys.stderr)
    {then}
os.write(2, b"after\\n")
"""


def run(log: Path, then: str = "pass") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(then=then)
    return subprocess.run([sys.executable, "-c", program, log], capture_output=True, text=True, check=False)


def test_native_messages_go_into_the_file_and_ours_do_not(tmp_path: Path) -> None:
    done = run(tmp_path / "log")

    assert done.stderr == "before\nteaching\nafter\n"
    assert (tmp_path / "log").read_text() == "oneDNN custom operations are on\n"


def test_an_error_is_told_as_ever(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "raise SystemExit('no more memory')")

    assert (done.returncode, done.stderr) == (1, "before\nteaching\nno more memory\n")


def test_the_last_words_of_code_that_aborts_are_in_the_file(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "os.write(2, b'no AVX here\\n'); os.abort()")

    assert done.returncode == -6
    assert "no AVX here" in (tmp_path / "log").read_text()
