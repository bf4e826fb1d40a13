"""The image as it comes, with nobody's preset: started by its own boot loader, in another machine than the rig's.

Last, as it needs the processors that the rig's board has until then.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.accelerator import ovmf
from hil.card import flash, overlay
from hil.conftest import FOLDER
from hil.strategy import State
from hil.test_security import greeting

pytestmark = pytest.mark.lg_feature("emulated")

START_LIMIT_S = 180.0
NOBODY_S = 6.0  # from the console's prompt: a server that were to start would have by then
POLL_S = 0.5


@pytest.fixture(scope="module")
def console(machine: Any) -> Iterator[Path]:
    """What the console of a board with the factory's card shows, once it asks for a login."""
    machine.transition(State.off)
    card, shown = FOLDER / "factory.img", FOLDER / "factory.txt"
    flash(Path(os.environ["LG_RIG_IMAGE"]), None, card)
    overlay(card, FOLDER / "factory.qcow2")
    address = os.environ["LG_RIG_ADDRESS"]
    command = (
        f"qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35,i8042=off,hpet=off -smp 2 -m 1024 "
        f"-accel {os.environ['LG_RIG_ACCEL']} -cpu {os.environ['LG_RIG_CPU']} -serial file:{shown} "
        f"-drive if=pflash,format=raw,readonly=on,file={ovmf()} "
        f"-drive if=none,id=card,format=qcow2,file={FOLDER / 'factory.qcow2'} -device virtio-blk-pci,drive=card "
        f"-netdev user,id=desk,hostfwd=tcp:{address}:2200-:22 -device virtio-net-pci,netdev=desk,romfile= "
    )
    with subprocess.Popen(shlex.split(command), stdin=subprocess.DEVNULL) as guest:
        try:
            until_s = time.monotonic() + START_LIMIT_S
            while not (shown.exists() and b"login:" in shown.read_bytes()):
                assert guest.poll() is None, "QEMU ended"
                assert time.monotonic() < until_s, shown.read_bytes()[-2000:]
                time.sleep(POLL_S)
            yield shown
        finally:
            guest.kill()


def test_it_starts_by_its_own_boot_loader_and_is_called_ductwatch(console: Path) -> None:
    assert b"ductwatch login:" in console.read_bytes()


@pytest.mark.usefixtures("console")
def test_nobody_answers_on_port_22_without_a_preset_key() -> None:
    """QEMU takes the connection for the guest, and closes it as soon as that refuses."""
    until_s = time.monotonic() + NOBODY_S
    while time.monotonic() < until_s:
        assert greeting(2200) == b""
        time.sleep(POLL_S)
