"""Bundles with a table from score to deposit."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from drivers.camera.jpeg import encode_jpeg
from model.manifest import DegreePoint, parse_manifest
from model.training.bundle import Golden, Recipe, write_bundle, write_calibrated
from model.types import Label
from ota.bundle import Bundle, open_bundle
from tests.model.pictures import ripples, shipped
from tests.model.tables import TABLE

pytestmark = pytest.mark.real


def written(folder: Path, degree: tuple[DegreePoint, ...] | None) -> Bundle:
    bundle, manifest = shipped()
    recipe = Recipe(
        name="test",
        version="1",
        release_counter=1,
        side=manifest.input.height,
        clean_below=0.25,
        dirty_above=0.75,
        image_limits=structs.asdict(manifest.image_limits),
        degree=degree,
    )
    golden = [Golden("0.jpg", encode_jpeg(ripples(320, 240)), Label.CLEAN)]
    model = bundle.files["model.tflite"]
    write_bundle(folder, recipe, model=model, golden=golden, training_data_sha256="0" * 64, card="# test 1\n")
    return open_bundle(folder)


def test_a_recipe_with_a_table_makes_a_model_that_estimates(tmp_path: Path) -> None:
    assert parse_manifest(written(tmp_path / "with", TABLE).manifest).degree == TABLE


def test_one_without_makes_one_that_does_not(tmp_path: Path) -> None:
    assert b'"degree"' not in written(tmp_path / "without", None).manifest


def test_a_bundle_written_again_is_whole_and_differs_by_what_was_asked_for_alone(tmp_path: Path) -> None:
    old, manifest = shipped()

    write_calibrated(
        tmp_path, old.manifest, old.files, version="2", release_counter=70, degree=TABLE, card="# bootstrap 2\n"
    )

    new = open_bundle(tmp_path)
    found = parse_manifest(new.manifest)
    assert (found.version, found.release_counter, found.degree) == ("2", 70, TABLE)
    assert new.files["card.md"] == b"# bootstrap 2\n"
    again = structs.replace(found, version=manifest.version, release_counter=manifest.release_counter)
    assert structs.replace(again, degree=manifest.degree, files=manifest.files) == manifest
