"""Writes the bundle: network, golden inputs with the answers expected, card, and the manifest that lists them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.classifier import INPUT_SCALE, INPUT_ZERO_POINT, Classifier
from model.interpreter import output_quantisation
from model.manifest import DegreePoint, parse_manifest
from model.selftest import EXPECTED, RIGHT, selftest
from model.tensors import DECODE_PATHS, jpeg_frame
from model.types import Label

MODEL, CARD = "model.tflite", "card.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is the same for each training of this model. `degree`: of the manifest, where there is a table."""

    name: str
    version: str
    release_counter: int
    side: int
    clean_below: float
    dirty_above: float
    image_limits: Mapping[str, float]
    degree: Sequence[DegreePoint] | None = None


@dataclass(frozen=True, slots=True)
class Golden:
    """A picture that the model is asked for on each board, and what it shows. `name`: such as `0-clean.jpg`."""

    name: str
    jpeg: bytes
    shows: Label


def write_bundle(
    folder: Path,
    recipe: Recipe,
    *,
    model: bytes,
    golden: Sequence[Golden],
    training_data_sha256: str,
    card: str,
) -> None:
    """Write the folder, and check it as a board would. The same arguments give the same bytes.

    `card`: in Markdown. Raises `UnfitModel` if the network is not what this firmware runs.
    """
    classifier = classifier_of(recipe, model)
    pictures = {f"golden/{one.name}": one for one in sorted(golden, key=lambda one: one.name)}
    expected = {name: classifier.raw_output(jpeg_frame(one.jpeg, name)).tolist() for name, one in pictures.items()}
    files = {MODEL: model, **{name: one.jpeg for name, one in pictures.items()}}
    files[EXPECTED] = _json(expected)
    files[RIGHT] = _json({name: one.shows.value for name, one in pictures.items()})
    files[CARD] = card.encode()
    _write(folder, files, _manifest(recipe, files, training_data_sha256))


def write_calibrated(
    folder: Path,
    manifest: bytes,
    files: Mapping[str, bytes],
    *,
    version: str,
    release_counter: int,
    degree: Sequence[DegreePoint],
    card: str,
) -> None:
    """Write a bundle's `files` again, as another version with this table and card. Raises `UnfitModel`, as above."""
    files = {**files, CARD: card.encode()}
    document: dict[str, Any] = json.loads(manifest)
    document |= {"version": version, "release_counter": release_counter, "degree": degree_rows(degree)}
    _write(folder, files, _json(document | {"files": _listed(files)}))


def classifier_of(recipe: Recipe, model: bytes) -> Classifier:
    """The classifier that a board would make of this network."""
    return Classifier(model, parse_manifest(_manifest(recipe, {MODEL: model}, "0" * 64)))


def _write(folder: Path, files: Mapping[str, bytes], manifest: bytes) -> None:
    selftest(Classifier(files[MODEL], parse_manifest(manifest)), files)
    for name, content in {**files, "manifest.json": manifest}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _manifest(recipe: Recipe, files: Mapping[str, bytes], training_data_sha256: str) -> bytes:
    scale, zero_point = output_quantisation(files[MODEL])
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
        "output": {"kind": "logits", "scale": scale, "zero_point": zero_point},
        "decode_path": DECODE_PATHS[0],
        "labels": ["CLEAN", "DIRTY"],
        "thresholds": {"clean_below": recipe.clean_below, "dirty_above": recipe.dirty_above},
        "image_limits": dict(recipe.image_limits),
        "golden": {"top1_agreement": 1.0, "max_difference_lsb": 4},
        "latency_budget_ms": {"any": 150},
        "training_data_sha256": training_data_sha256,
        **({} if recipe.degree is None else {"degree": degree_rows(recipe.degree)}),
        "files": _listed(files),
    }
    return _json(document)


def degree_rows(degree: Sequence[DegreePoint]) -> list[dict[str, float]]:
    """As the manifest has it."""
    return [
        {"score": point.score, "g_m2": point.g_m2, "low_g_m2": point.low_g_m2, "high_g_m2": point.high_g_m2}
        for point in degree
    ]


def _listed(files: Mapping[str, bytes]) -> dict[str, dict[str, object]]:
    return {
        name: {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(files.items())
    }


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
