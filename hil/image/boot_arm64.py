"""`python -m hil.image.boot_arm64`: does the arm64 image start, and see? On QEMU's generic board, so nothing of a
Raspberry Pi is in this; its camera shows the model's golden pictures, which lie on the boot partition."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from hil.card import flash, overlay
from hil.image.boards import BOARDS
from hil.image.build import Image
from hil.image.disk import OPTIONS
from hil.image.shell import run
from tests.mosquitto import Inbox, Mosquitto, Received

PICTURES = sorted(
    (Path(__file__).parents[2] / "model/visual_clean/golden").glob("*-dirty.jpg")
)  # of the clean, one is unsure
UEFI = "/usr/share/AAVMF/AAVMF_CODE.fd"  # Debian's qemu-efi-aarch64
LIMIT_S = 300.0  # for each sign; 169 s were the longest seen, on two cores with much else to do

PRESET = """[board]
name = "arm64"

[snapshot]
period = "2s"
dark_frame = false
agree = 1  # pictures take turns, and one seen twice is a frozen camera: waiting for two that agree might take long
of = 1

[uplink]
host = "10.0.2.2"  # of QEMU's network, the machine that it runs on
port = {port}

[[camera]]
name = "upstream"
driver = "replay"
path = "/boot/firmware/pictures"
"""

MACHINE = (
    *(
        "qemu-system-aarch64",
        "-M",
        "virt",
        "-cpu",
        "cortex-a57",
        "-accel",
        "tcg,thread=multi",
        "-smp",
        "2",
        "-m",
        "1024",
    ),
    *("-nodefaults", "-display", "none", "-device", "virtio-rng-pci", "-nic", "user,model=virtio-net-pci"),
)


class Unseen(Exception):
    """The board has not shown what was waited for. The message says why."""


async def verdict(image: Image, *, by_uefi: bool) -> Received:
    """Start the image and return its first settled verdict. Raises `Unseen`, in groups."""
    with tempfile.TemporaryDirectory(prefix="ductwatch-arm64-") as name:
        folder, inbox = Path(name), Inbox()
        async with Mosquitto(folder) as broker, inbox.listening(broker.port):
            disk, console = folder / "disk.qcow2", folder / "console"
            _flash(image, PRESET.format(port=broker.port), disk)
            started_s = time.monotonic()
            starting = _uefi() if by_uefi else _kernel(image)
            drive = ("-drive", f"if=none,id=disk,format=qcow2,file={disk}", "-device", "virtio-blk-pci,drive=disk")
            qemu = await asyncio.create_subprocess_exec(*MACHINE, *starting, *drive, "-serial", f"file:{console}")
            try:
                for what, fits in SIGNS.items():
                    seen = await while_runs(qemu, inbox.until(partial(_have, fits), LIMIT_S), what)
                    print(f"{time.monotonic() - started_s:6.1f} s  {what}", file=sys.stderr, flush=True)
            except* Unseen:
                print(console.read_text(errors="replace"), file=sys.stderr)
                raise
            finally:
                with suppress(ProcessLookupError):
                    qemu.kill()
                await qemu.wait()
    return next(each for each in seen if is_settled(each))


async def while_runs(board: Process, sign: Coroutine[Any, Any, list[Received]], what: str) -> list[Received]:
    """What `sign` brings. Raises `Unseen`, in a group, if that takes too long or the emulator ends."""

    async def watch() -> None:
        raise Unseen(f"QEMU ended with {await board.wait()}, before: {what}. Its last words are above.")

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        try:
            seen = await sign
        except TimeoutError as error:
            raise Unseen(f"within {LIMIT_S:g} s not seen: {what}. The console's last words are above.") from error
        watching.cancel()
    return seen


def is_settled(message: Received) -> bool:
    """A verdict that says something of the duct."""
    return "/verdict/" in message.topic and message.fields["label"] != "CANNOT_TELL"


SIGNS: dict[str, Callable[[Received], bool]] = {
    "the firmware is up": lambda message: message.topic.endswith("/availability"),
    "first verdict": lambda message: "/verdict/" in message.topic,
    "settled verdict": is_settled,
}


def _have(fits: Callable[[Received], bool], messages: list[Received]) -> bool:
    return any(map(fits, messages))


def _flash(image: Image, preset: str, disk: Path) -> None:
    card = disk.with_name("card.img")
    flash(image.disk, preset, card)
    run("mmd", "-i", f"{card}@@1M", "::pictures")
    run("mcopy", "-i", f"{card}@@1M", *PICTURES, "::pictures/")
    overlay(card, disk)


def _kernel(image: Image) -> tuple[str, ...]:
    options = f"{OPTIONS} console=ttyAMA0"
    return ("-kernel", str(image.kernel), "-initrd", str(image.initramfs), "-append", options)


def _uefi() -> tuple[str, ...]:
    return ("-drive", f"if=pflash,format=raw,readonly=on,file={UEFI}")


def _only_unseen(group: ExceptionGroup[Exception]) -> Unseen | None:
    """The one reason in these groups in groups, if there is no other."""
    match group.exceptions:
        case [Unseen() as unseen]:
            return unseen
        case [ExceptionGroup() as inner]:
            return _only_unseen(inner)
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m hil.image.boot_arm64", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/image"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--uefi", action="store_true", help="start as from a card, by UEFI and the boot partition")
    options = parser.parse_args()
    board = Image(board=BOARDS["arm64"], out=options.out)
    try:
        found = asyncio.run(verdict(board, by_uefi=options.uefi))
    except ExceptionGroup as group:
        if (unseen := _only_unseen(group)) is None:
            raise
        sys.exit(f"{unseen}")
    print(found.payload.decode())
