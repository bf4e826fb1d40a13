"""What `ductwatch model` says where the packages for training are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from firmware.cli import parser
from model.errors import TO_TRAIN
from tests.model.training.data.photos import folder

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
WITHOUT = """
import sys
sys.modules["tensorflow"] = None  # as if it were not installed, wherever this runs
from firmware.cli import parser
from firmware.model_tools import main
sys.exit(main(parser().parse_args(["model", *sys.argv[1:]])))
"""


def without_tensorflow(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_what_is_missing_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    done = without_tensorflow("train", "--data", tmp_path / "photos", "--out", tmp_path / "out")

    assert done.returncode == 2
    assert done.stderr == f"ductwatch: this needs the Python package tensorflow: {TO_TRAIN}\n"


def test_photos_are_looked_through_without_it_and_what_that_leaves_out_is_said(tmp_path: Path) -> None:
    done = without_tensorflow("data", folder(tmp_path / "photos", clean=20, dirty=20))

    assert f"were not looked for: this needs the Python package tensorflow: {TO_TRAIN}." in done.stdout


def test_that_command_is_the_one_of_the_readme_and_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    """It installs from a checkout: no index has ductwatch."""
    command = TO_TRAIN.removeprefix("in ductwatch's checkout, ")

    with pytest.raises(SystemExit):
        parser().parse_args(["model", "--help"])

    assert f"\n{command} " in (ROOT / "README.md").read_text()
    assert command in " ".join(capsys.readouterr().out.split())
