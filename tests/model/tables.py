"""A table from score to deposit, for tests that only need one: class medium, whatever the score."""

from __future__ import annotations

import json
from pathlib import Path

from model.manifest import DegreePoint
from model.training.bundle import write_calibrated
from tests.model.pictures import copy_of, shipped

TABLE = (
    DegreePoint(score=0.0, g_m2=0.8, low_g_m2=0.7, high_g_m2=1.0),
    DegreePoint(score=1.0, g_m2=2.5, low_g_m2=2.0, high_g_m2=2.9),
)


def model_with_a_table(folder: Path) -> Path:
    bundle, _ = shipped()
    write_calibrated(
        folder, bundle.manifest, bundle.files, version="2", release_counter=9, degree=TABLE, card="# test 2\n"
    )
    return folder


def model_without_a_table(folder: Path) -> Path:
    bundle, _ = shipped()
    copy_of(bundle, folder)
    document = json.loads(bundle.manifest)
    document.pop("degree", None)
    (folder / "manifest.json").write_text(json.dumps(document))
    return folder
