"""The boards that an image can be built for: what differs between them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """`architecture` in Debian's words, `machine` in Python's; `console` is the serial one, where there is one."""

    architecture: str
    machine: str
    efi_loader: str  # of the package systemd-boot-efi, under the name that UEFI looks for on a removable disk
    efi_boot: str
    console: str
    drivers: tuple[str, ...]  # of the initramfs, besides those that every board gets: see DRIVERS in initramfs.py
    watchdogs: tuple[str, ...]  # drivers
    for_raspberry_pi: bool


BOARDS = {
    "amd64": Board(
        architecture="amd64",
        machine="x86_64",
        efi_loader="systemd-bootx64.efi",
        efi_boot="BOOTX64.EFI",
        console="ttyS0,115200",
        drivers=(),
        # Not sp5100_tco, AMD's: where there is none, to load it fails. udev does so by its PCI number.
        watchdogs=("i6300esb", "iTCO_wdt", "wdat_wdt"),
        for_raspberry_pi=False,
    ),
    "arm64": Board(
        architecture="arm64",
        machine="aarch64",
        efi_loader="systemd-bootaa64.efi",
        efi_boot="BOOTAA64.EFI",
        console="ttyAMA0,115200",
        drivers=(
            "drivers/mmc/host/bcm2835",
            "drivers/regulator/fixed",  # of a Raspberry Pi 4: what its SD card is powered by
            "drivers/regulator/gpio-regulator",
            "drivers/reset/reset-raspberrypi",
            "drivers/watchdog/bcm2835_wdt",  # a Raspberry Pi without PSCI starts anew by its watchdog only
        ),
        watchdogs=("bcm2835_wdt", "i6300esb"),
        for_raspberry_pi=True,
    ),
}

PYTHON = "3.11"  # of Debian 12
PYTHON_FULL = "3.11.2"
SUITE = "bookworm"


def wheel_tags(machine: str) -> list[str]:
    """Platform tags that Debian 12's glibc 2.36 takes, newest first: PEP 600 and the older alias."""
    return [*(f"manylinux_2_{minor}_{machine}" for minor in range(36, 16, -1)), f"manylinux2014_{machine}"]
