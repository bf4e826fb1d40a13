"""KVM is used where a guest really runs: /dev/kvm may open and its guests still never start."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.accelerator import TCG, accelerator, starts

pytestmark = pytest.mark.real

LIMIT_S = 0.3


def qemu(folder: Path, script: str) -> str:
    program = folder / "qemu"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_a_guest_whose_bios_speaks_runs(tmp_path: Path) -> None:
    assert starts(qemu(tmp_path, "printf 'Sea'; printf 'BIOS (version'; exec sleep 60"))


@pytest.mark.parametrize(
    "script",
    ["exec sleep 60", "echo nothing of the kind; exec sleep 60", "exit 1", "exec yes"],
    ids=["hangs", "says something else", "ends at once", "never stops talking"],
)
def test_a_guest_that_does_not_run_is_found_out_in_time(tmp_path: Path, script: str) -> None:
    assert not starts(qemu(tmp_path, script), LIMIT_S)


def test_without_qemu_nothing_runs_under_kvm(tmp_path: Path) -> None:
    assert accelerator(str(tmp_path / "qemu")) == TCG
