from __future__ import annotations

from pathlib import Path

import pytest

from drivers.camera.jpeg import encode_jpeg
from model.errors import UnfitModel
from model.training.bundle import Golden, write_bundle
from model.training.card import card_of_rendered
from model.training.evaluation.rendered import measure_rendered
from model.training.train import RECIPE
from model.types import Label
from ota.bundle import open_bundle
from tests.model.pictures import ripples, shipped

pytestmark = pytest.mark.real

GOLDEN = [Golden("0.jpg", encode_jpeg(ripples(320, 240)), Label.CLEAN)]


def write(folder: Path, model: bytes) -> Path:
    card = card_of_rendered(RECIPE, "a network", measure_rendered([], threshold=0.5))
    write_bundle(folder, RECIPE, model=model, golden=GOLDEN, training_data_sha256="0" * 64, card=card)
    return folder


def test_what_training_writes_is_a_bundle_and_the_same_each_time(tmp_path: Path) -> None:
    model = shipped()[0].files["model.tflite"]

    first, second = (open_bundle(write(tmp_path / name, model)) for name in ("first", "second"))

    assert set(first.files) == {"model.tflite", "golden/0.jpg", "golden/expected.json", "golden/right.json", "card.md"}
    assert first.files["golden/right.json"].split() == [b"{", b'"golden/0.jpg":', b'"CLEAN"', b"}"]
    assert first.digest == second.digest


def test_an_unfit_network_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UnfitModel):
        write(tmp_path / "bundle", b"no network")

    assert not (tmp_path / "bundle").exists()
