"""KVM is used where a kernel really starts: /dev/kvm may open, a BIOS even run, and the kernel still hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.accelerator import TCG, NoUefi, accelerator, ovmf, starts

pytestmark = pytest.mark.real

LIMIT_S = 0.3
KERNEL = Path("vmlinuz")


def qemu(folder: Path, script: str) -> str:
    program = folder / "qemu"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_a_guest_whose_kernel_speaks_runs(tmp_path: Path) -> None:
    assert starts(KERNEL, qemu(tmp_path, "printf 'Linux'; printf ' version 6.1'; exec sleep 60"))


@pytest.mark.parametrize(
    "script",
    ["exec sleep 60", "echo SeaBIOS, and no more; exec sleep 60", "exit 1", "exec yes"],
    ids=["hangs", "no more than the BIOS", "ends at once", "never stops talking"],
)
def test_a_guest_that_does_not_run_is_found_out_in_time(tmp_path: Path, script: str) -> None:
    assert not starts(KERNEL, qemu(tmp_path, script), LIMIT_S)


def test_without_qemu_nothing_runs_under_kvm(tmp_path: Path) -> None:
    assert accelerator(KERNEL, str(tmp_path / "qemu")) == TCG


def test_of_the_uefis_that_are_there_it_is_the_first(tmp_path: Path) -> None:
    absent, first, second = (tmp_path / name for name in ("absent.fd", "first.fd", "second.fd"))
    first.touch()
    second.touch()

    assert ovmf((absent, first, second)) == first


def test_without_a_uefi_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NoUefi, match=r"absent\.fd.*apt install ovmf"):
        ovmf((tmp_path / "absent.fd",))
