from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from model.classifier import Classifier
from model.errors import UnfitModel
from model.manifest import GoldenGate
from model.selftest import EXPECTED, selftest
from tests.model.pictures import shipped, shipped_classifier


def shipped_files() -> dict[str, bytes]:
    return dict(shipped()[0].files)


def swapped(files: dict[str, bytes], names: int) -> dict[str, bytes]:
    expected = json.loads(files[EXPECTED])
    for name in list(expected)[:names]:
        expected[name].reverse()
    return {**files, EXPECTED: json.dumps(expected).encode()}


def test_the_shipped_model_answers_here_as_where_it_was_made() -> None:
    selftest(shipped_classifier(), shipped_files())


def test_one_other_answer_is_one_too_many() -> None:
    with pytest.raises(UnfitModel, match="other answers here"):
        selftest(shipped_classifier(), swapped(shipped_files(), names=1))


def test_a_looser_gate_lets_it_pass() -> None:
    bundle, manifest = shipped()
    gate = GoldenGate(top1_agreement=0.5, max_difference_lsb=255)
    classifier = Classifier(bundle.files["model.tflite"], replace(manifest, golden=gate))

    selftest(classifier, swapped(shipped_files(), names=1))


def test_a_bundle_without_golden_inputs_proves_nothing() -> None:
    for expected in (b"{}", b'{"golden/lost.jpg": [0, 0]}', b'{"card.md": [0, 0]}'):
        with pytest.raises(UnfitModel):
            selftest(shipped_classifier(), {**shipped_files(), EXPECTED: expected})
    with pytest.raises(UnfitModel, match="has no golden"):
        selftest(shipped_classifier(), {})
