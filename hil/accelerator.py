"""Whether QEMU can use the host's virtualisation: tried, since /dev/kvm may open and its guests still never run."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

TRY_LIMIT_S = 5.0
TCG = "tcg,thread=multi,tb-size=512"


def accelerator(qemu: str = "qemu-system-x86_64") -> str:
    """`-accel` for QEMU: KVM where a guest really starts, else emulation, ten times slower."""
    if os.access("/dev/kvm", os.R_OK | os.W_OK) and _starts(qemu):
        return "kvm"
    return TCG


def _starts(qemu: str) -> bool:
    """The BIOS of an empty machine writes to its debug port when it runs."""
    command = [qemu, "-accel", "kvm", "-nodefaults", "-display", "none", "-m", "64", "-no-reboot"]
    command += ["-chardev", "stdio,id=bios", "-device", "isa-debugcon,iobase=0x402,chardev=bios"]
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    assert child.stdout is not None
    with child:
        os.set_blocking(child.stdout.fileno(), False)
        with suppress(subprocess.TimeoutExpired):
            child.wait(TRY_LIMIT_S)
        said = child.stdout.read()
        child.kill()
    return bool(said) and b"SeaBIOS" in said
