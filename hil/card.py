"""The rig's memory card: the board image as it is flashed, the preset file on it, in a card that is larger."""

from __future__ import annotations

import tomllib
from pathlib import Path
from string import Template

from hil.image.shell import run

CARD_BYTES = 2 * 1024**3
BOOT_OFFSET = "1M"  # where the FAT partition begins: disk.py
PRESET = Path(__file__).with_name("rig.toml")


def make_key(folder: Path) -> Path:
    """A key for ssh, of this run only."""
    key = folder / "id_ed25519"
    if not key.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rig", "-f", key)
    return key


def preset(file: Path, key: Path, broker_port: int) -> str:
    """The text of a preset file, with this key and this port."""
    words = {"ssh_key": key.with_suffix(".pub").read_text().strip(), "broker_port": str(broker_port)}
    return Template(file.read_text()).substitute(words)


def sensors_in(file: Path) -> tuple[str, ...]:
    """Names of the sensors that a preset file configures, whose readings a board that is well sends."""
    document = tomllib.loads(file.read_text().replace("$broker_port", "0"))
    return tuple(sensor["name"] for sensor in document.get("sensor", ()))


def flash(image: Path, text: str | None, card: Path, size_bytes: int | None = CARD_BYTES) -> None:
    """Copy `image` to `card`, make that larger, and put `text` onto its boot partition.

    No `size_bytes` leaves it as large as the image, no `text` the factory's preset.
    """
    card.unlink(missing_ok=True)
    run("cp", "--sparse=always", "--reflink=auto", image, card)
    if size_bytes is not None:
        with card.open("r+b") as file:
            file.truncate(size_bytes)
    if text is not None:
        written = card.with_suffix(".toml")
        written.write_text(text)
        run("mcopy", "-o", "-i", f"{card}@@{BOOT_OFFSET}", written, "::ductwatch.toml")


def overlay(card: Path, disk: Path) -> None:
    """A disk that begins as `card` and keeps what is written to it."""
    disk.unlink(missing_ok=True)
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", card.resolve(), disk)
