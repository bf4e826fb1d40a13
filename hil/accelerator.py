"""Whether QEMU can use the host's virtualisation: tried, since /dev/kvm may open and its guests still never run."""

from __future__ import annotations

import os
import select
import subprocess
import time
from typing import IO

TRY_LIMIT_S = 5.0
CHUNK_BYTES = 4096
BIOS = b"SeaBIOS"
TCG = "tcg,thread=multi,tb-size=512"


def accelerator(qemu: str = "qemu-system-x86_64") -> str:
    """`-accel` for QEMU: KVM where a guest really starts, else emulation, ten times slower."""
    if os.access("/dev/kvm", os.R_OK | os.W_OK) and starts(qemu):
        return "kvm"
    return TCG


def starts(qemu: str, limit_s: float = TRY_LIMIT_S) -> bool:
    """Whether a guest runs under KVM: the BIOS of an empty machine then writes to its debug port."""
    command = [qemu, "-accel", "kvm", "-nodefaults", "-display", "none", "-m", "64", "-no-reboot"]
    command += ["-chardev", "stdio,id=bios", "-device", "isa-debugcon,iobase=0x402,chardev=bios"]
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    assert child.stdout is not None
    with child:
        try:
            return _says(child.stdout, BIOS, limit_s)
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
