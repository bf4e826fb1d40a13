"""What the fleet is offered: the shipped model, another one and a broken one, by the publisher's own commands."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.classifier import Classifier
from model.manifest import parse_expected, parse_manifest
from model.selftest import EXPECTED, Answers, answers, golden_frame
from model.shipped import shipped_bundle
from ota.bundle import Bundle, open_bundle

NETWORK = "model.tflite"
CHANNEL, MODEL = "stable", "visual-clean"
BEFORE, GOOD, BAD = "before", "good", "bad"
COUNTERS = {BEFORE: 101, GOOD: 102, BAD: 103}
MOVED_SHARE = 0.28  # of the weights, by one step: a delta of 0.15 MB, as after a training of the top blocks
BROKEN_SHARE = 0.9
LARGE_BYTES = 1_000  # of a constant of the network: below are biases and shapes
LIMIT_S = 120.0
PASSPHRASES = {
    "DUCTWATCH_OTA_PASSPHRASE": "of people, for a benchmark",
    "DUCTWATCH_OTA_ONLINE_PASSPHRASE": "of a clock, for a benchmark",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """By the releases' names: `folders` are the repository after each publishing, `bundles` what was published.

    `examined` is what the network in each bundle answers to its golden pictures.
    """

    root: bytes
    folders: Mapping[str, Path]
    bundles: Mapping[str, Path]
    examined: Mapping[str, Answers]


def published(folder: Path) -> Repositories:
    """Make keys, bundles and repository in `folder`, and publish one release after the other."""
    bundles = {BEFORE: folder / BEFORE, GOOD: folder / GOOD, BAD: folder / BAD}
    shipped = open_bundle(shipped_bundle())
    network = shipped.files[NETWORK]
    better = _moved(network, MOVED_SHARE, seed=1)
    _write(bundles[BEFORE], shipped, BEFORE, network, expected=network)
    _write(bundles[GOOD], shipped, GOOD, better, expected=better)
    _write(bundles[BAD], shipped, BAD, _moved(network, BROKEN_SHARE, seed=2), expected=better)
    repository = folder / "repository"
    _ota("init", repository)
    folders = {}
    for name, bundle in bundles.items():
        if name == BAD:  # no board has the first one any more, and to make a delta from it would take seconds
            kept = folder / "repository.publisher" / "bundles" / CHANNEL / MODEL
            next(kept.glob(f"*{COUNTERS[BEFORE]}-*.tar")).unlink()
        _ota("publish", bundle, "--repository", repository, "--channel", CHANNEL)
        folders[name] = Path(shutil.copytree(repository, folder / f"repository-{name}"))
    return Repositories(
        root=(folder / "repository.publisher" / "root.json").read_bytes(),
        folders=folders,
        bundles=bundles,
        examined={name: _examined(bundle) for name, bundle in bundles.items()},
    )


def _moved(network: bytes, share: float, *, seed: int) -> bytes:
    """The network with this share of its weights one step up or down, as a training leaves them; the same each time."""
    from ai_edge_litert import schema_py_generated as schema

    moved, chance = bytearray(network), np.random.default_rng(seed)
    graph = schema.Model.GetRootAs(moved)
    for number in range(graph.BuffersLength()):
        data: Any = graph.Buffers(number).DataAsNumpy()
        if graph.Buffers(number).DataLength() < LARGE_BYTES:
            continue
        weights = data.view(np.int8)  # of `moved` itself
        by = chance.integers(0, 2, weights.size, dtype=np.int8) * 2 - 1
        chosen = chance.random(weights.size) < share
        weights[:] = np.where(chosen, np.clip(weights.astype(np.int16) + by, -127, 127), weights).astype(np.int8)
    return bytes(moved)


def _write(folder: Path, shipped: Bundle, name: str, network: bytes, *, expected: bytes) -> None:
    """As another release of the shipped bundle; its golden answers are those of the network `expected`."""
    manifest = json.loads(shipped.manifest)
    manifest |= {"version": f"1.{COUNTERS[name]}.0", "release_counter": COUNTERS[name]}
    classifier = Classifier(expected, parse_manifest(shipped.manifest))
    golden = {
        picture: classifier.raw_output(golden_frame(picture, shipped.files)).tolist()
        for picture in parse_expected(shipped.files[EXPECTED])
    }
    files = {**shipped.files, NETWORK: network, EXPECTED: json.dumps(golden).encode()}
    manifest["files"] = {
        path: {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()} for path, content in files.items()
    }
    for path, content in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _examined(folder: Path) -> Answers:
    bundle = open_bundle(folder)
    return answers(Classifier(bundle.files[NETWORK], parse_manifest(bundle.manifest)), bundle.files)


def _ota(*words: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "firmware", "ota", *map(str, words), "--yes"],
        env={**os.environ, **PASSPHRASES},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=LIMIT_S,
    )
