from __future__ import annotations

import pytest

from drivers.duct.optics import Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from model.classifier import Classifier
from model.types import Label
from tests.model.pictures import mjpeg, shipped, shipped_classifier

UNSEEN = (900_001, 900_004, 900_005)  # scenes that no training drew


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return shipped_classifier()


@pytest.mark.parametrize("scene", UNSEEN)
def test_an_obviously_clean_and_an_obviously_dirty_duct_are_told_apart(classifier: Classifier, scene: int) -> None:
    duct = Renderer(random_scene(scene), 640, 480)
    clean, dirty = (
        classifier.judge(mjpeg(duct.render(mean_g_m2=coverage_g_m2, light=1.0, optics=Optics(), frame_seed=1)))
        for coverage_g_m2 in (0.1, 12.0)
    )

    assert (clean.label, dirty.label) == (Label.CLEAN, Label.DIRTY)


def test_the_shipped_model_says_plainly_what_it_is_not() -> None:
    bundle, manifest = shipped()

    assert manifest.name == "visual-clean"
    assert b"Trained on rendered ducts only" in bundle.files["card.md"]
    assert len(bundle.files["model.tflite"]) < 2_000_000


def test_the_shipped_model_estimates_deposits(classifier: Classifier) -> None:
    duct = Renderer(random_scene(UNSEEN[0]), 640, 480)
    optics = Optics()
    degrees = [
        classifier.judge(mjpeg(duct.render(mean_g_m2=grams, light=1.0, optics=optics, frame_seed=1))).degree
        for grams in (0.3, 5.0, 15.0)
    ]

    estimates = [degree.g_m2 for degree in degrees if degree is not None]
    assert estimates == sorted(estimates)
    assert len(set(estimates)) == 3
