"""Who builds an image without root is told the command that gives the user ids for it, where there are none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/user_ids.sh"

pytestmark = pytest.mark.real


def said(folder: Path, subuid: str | None, subgid: str | None) -> tuple[int, str]:
    """Exit status and stderr for the user `builder`."""
    files = [folder / "subuid", folder / "subgid"]
    for file, text in zip(files, (subuid, subgid), strict=True):
        if text is not None:
            file.write_text(text)
    done = subprocess.run(["bash", SCRIPT, "builder", *files], capture_output=True, text=True, timeout=10, check=False)
    return done.returncode, done.stderr


def test_a_user_with_ids_is_told_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, "builder:100000:65536\n", "other:1:2\nbuilder:100000:65536\n") == (0, "")


@pytest.mark.parametrize(
    ("subuid", "subgid", "free"),
    [
        (None, None, "100000-165535"),
        ("other:100000:65536\n", "other:100000:65536\n", "165536-231071"),
        ("builder:100000:65536\n", "", "165536-231071"),
        ("builder:100000:1000\n", "builder:100000:1000\n", "101000-166535"),
    ],
    ids=["no files", "only another has some", "no groups", "too few"],
)
def test_a_user_without_is_told_which_are_free(
    tmp_path: Path, subuid: str | None, subgid: str | None, free: str
) -> None:
    status, told = said(tmp_path, subuid, subgid)

    assert status == 1
    assert f"sudo usermod --add-subuids {free} --add-subgids {free} builder" in told
