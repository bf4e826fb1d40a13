"""Writes the bundle: network, golden inputs with the answers expected, card, and the manifest that lists them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.classifier import INPUT_SCALE, INPUT_ZERO_POINT, Classifier
from model.manifest import parse_manifest
from model.selftest import EXPECTED, selftest
from model.tensors import DECODE_PATHS, jpeg_frame

OUTPUT_SCALE = 1 / 256  # of TensorFlow Lite's int8 softmax, with zero point -128
OUTPUT_ZERO_POINT = -128
MODEL = "model.tflite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is the same for each training of this model."""

    name: str
    version: str
    release_counter: int
    side: int
    clean_below: float
    dirty_above: float
    image_limits: Mapping[str, float]


def write_bundle(
    folder: Path,
    recipe: Recipe,
    *,
    model: bytes,
    golden: Mapping[str, bytes],
    training_data_sha256: str,
    card: str,
) -> None:
    """Write the folder, and check it as a board would. The same arguments give the same bytes.

    `golden`: JPEGs by name; `card`: in Markdown. Raises `UnfitModel` if the network is not what this firmware runs.
    """
    files = {MODEL: model, **{f"golden/{name}": jpeg for name, jpeg in sorted(golden.items())}}
    classifier = classifier_of(recipe, model)
    expected = {
        name: classifier.raw_output(jpeg_frame(jpeg, name)).tolist() for name, jpeg in files.items() if name != MODEL
    }
    files[EXPECTED] = _json(expected)
    files["card.md"] = card.encode()
    manifest = _manifest(recipe, files, training_data_sha256)
    selftest(Classifier(model, parse_manifest(manifest)), files)
    for name, content in {**files, "manifest.json": manifest}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def classifier_of(recipe: Recipe, model: bytes) -> Classifier:
    """The classifier that a board would make of this network."""
    return Classifier(model, parse_manifest(_manifest(recipe, {MODEL: model}, "0" * 64)))


def _manifest(recipe: Recipe, files: Mapping[str, bytes], training_data_sha256: str) -> bytes:
    document: dict[str, Any] = {
        "format": 1,
        "name": recipe.name,
        "version": recipe.version,
        "release_counter": recipe.release_counter,
        "hardware": ["any"],
        "runtime": {"name": "ai-edge-litert", "at_least": "2.1", "below": "3"},
        "input": {
            "height": recipe.side,
            "width": recipe.side,
            "scale": INPUT_SCALE,
            "zero_point": INPUT_ZERO_POINT,
        },
        "output": {"scale": OUTPUT_SCALE, "zero_point": OUTPUT_ZERO_POINT},
        "decode_path": DECODE_PATHS[0],
        "labels": ["CLEAN", "DIRTY"],
        "thresholds": {"clean_below": recipe.clean_below, "dirty_above": recipe.dirty_above},
        "image_limits": dict(recipe.image_limits),
        "golden": {"top1_agreement": 1.0, "max_difference_lsb": 4},
        "latency_budget_ms": {"any": 150},
        "training_data_sha256": training_data_sha256,
        "files": {
            name: {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(files.items())
        },
    }
    return _json(document)


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
