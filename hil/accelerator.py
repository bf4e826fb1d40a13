"""What QEMU has on this host: the processor's virtualisation, tried with the board's own kernel, and a UEFI.

/dev/kvm may open, a BIOS may run, and a kernel still hang: so it is on a host that is itself a guest without the
processor's help (kvm-pvm), which runs only kernels made for it.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

TRY_LIMIT_S = 5.0
CHUNK_BYTES = 4096
SPEAKS = b"Linux version"
CPU = "qemu64,-svm,+ssse3,+sse4.1,+sse4.2,+popcnt,+lahf-lm,+cx16,+rdrand"  # x86-64-v2, which numpy needs
TCG = "tcg,thread=multi,tb-size=512"
OVMF = (  # UEFI for QEMU: Debian 12, 13 and Ubuntu, Fedora, Arch; the last has code and variables in one
    Path("/usr/share/OVMF/OVMF_CODE.fd"),
    Path("/usr/share/OVMF/OVMF_CODE_4M.fd"),
    Path("/usr/share/edk2/ovmf/OVMF_CODE.fd"),
    Path("/usr/share/edk2/x64/OVMF_CODE.4m.fd"),
    Path("/usr/share/ovmf/OVMF.fd"),
)


class NoUefi(Exception):
    """No UEFI for QEMU on this host; the message says what to install."""


def ovmf(places: Iterable[Path] = OVMF) -> Path:
    """The first UEFI for QEMU that is there. Raises `NoUefi`."""
    tried = tuple(places)
    for path in tried:
        if path.exists():
            return path
    raise NoUefi(f"no UEFI for QEMU at {', '.join(map(str, tried))}. Debian's package ovmf has it: apt install ovmf")


def accelerator(kernel: Path, qemu: str = "qemu-system-x86_64") -> str:
    """`-accel` for QEMU: KVM where this kernel really starts, else emulation, ten times slower."""
    if os.access("/dev/kvm", os.R_OK | os.W_OK) and starts(kernel, qemu):
        return "kvm"
    return TCG


def starts(kernel: Path, qemu: str, limit_s: float = TRY_LIMIT_S) -> bool:
    """Whether the kernel says its first word under KVM, on a processor that has all that the board needs."""
    command = [qemu, "-accel", "kvm", "-cpu", f"{CPU},enforce", "-nodefaults", "-display", "none", "-m", "256"]
    command += ["-no-reboot", "-serial", "stdio", "-kernel", str(kernel), "-append", "earlyprintk=ttyS0 panic=-1"]
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    assert child.stdout is not None
    with child:
        try:
            return _says(child.stdout, SPEAKS, limit_s)
        finally:
            child.kill()


def _says(stream: IO[bytes], wanted: bytes, limit_s: float) -> bool:
    until_s = time.monotonic() + limit_s
    said = b""
    while (left_s := until_s - time.monotonic()) > 0:
        readable, _, _ = select.select([stream], [], [], left_s)
        data = os.read(stream.fileno(), CHUNK_BYTES) if readable else b""
        if not data:
            return False
        said = said[-len(wanted) :] + data
        if wanted in said:
            return True
    return False
