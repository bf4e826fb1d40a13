"""The rig's card is the image as it is flashed, and one file on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware import config
from hil.card import CARD_BYTES, PRESET, flash, preset
from hil.rig.peers import CAMERAS

pytestmark = pytest.mark.real

IMAGE = b"\x55\xaa" * 100_000


def public_key(folder: Path) -> Path:
    (folder / "id.pub").write_text(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f rig\n"
    )
    return folder / "id"


def test_the_preset_file_is_a_configuration_that_the_firmware_takes(tmp_path: Path) -> None:
    made = config.parse(preset(PRESET, public_key(tmp_path), 1883), tmp_path / "rig.toml")

    assert made.uplink is not None
    assert made.uplink.port == 1883
    assert [camera.name for camera in made.families["camera"]] == list(CAMERAS)


def test_a_card_begins_as_the_image_and_is_larger(tmp_path: Path) -> None:
    image, card = tmp_path / "image", tmp_path / "card.img"
    image.write_bytes(IMAGE)
    flash(image, None, card)

    with card.open("rb") as file:
        assert file.read(len(IMAGE)) == IMAGE
    assert card.stat().st_size == CARD_BYTES


def test_the_image_itself_stays_as_it_was_built(tmp_path: Path) -> None:
    image, card = tmp_path / "image", tmp_path / "card.img"
    image.write_bytes(IMAGE)
    flash(image, None, card)
    with card.open("r+b") as file:
        file.write(b"something else")

    assert image.read_bytes() == IMAGE
