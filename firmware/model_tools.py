"""`ductwatch model`: hands over to the training tools, most of which need more Python packages than a board has."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Any

from firmware.plan import load_bundle, load_classifier
from model.errors import TO_TRAIN, ModelError
from ota.errors import OtaError

EX_USAGE = 2
ACTIONS = {
    "data": "model.training.data.command",
    "train": "model.training.command",
    "evaluate": "model.training.evaluation.command",
    "compare": "model.training.evaluation.compare",
    "calibrate": "model.training.degree_command",
    "render": "model.training.rendered_set",
}
"""Modules with a `main(arguments) -> int`, which gets the bundles by the names of their arguments."""
BUNDLES = {"evaluate": ("bundle",), "compare": ("a", "b")}
"""Arguments that name a bundle. They are opened here, as a board opens them: the model may not know `ota`."""
REWRITES = {"calibrate"}
"""Actions that make another bundle of `bundle`, and so get its `manifest` and `files`, too."""


def main(arguments: argparse.Namespace) -> int:
    """Raises `ConfigError` for a bundle that no board would run."""
    try:
        action = importlib.import_module(ACTIONS[arguments.action])
        return int(action.main(arguments, **_opened(arguments)))
    except ModuleNotFoundError as error:
        print(f"ductwatch: this needs the Python package {error.name}: {TO_TRAIN}", file=sys.stderr)
    except (ModelError, OtaError) as error:
        print(f"ductwatch: {error}", file=sys.stderr)
    return EX_USAGE


def _opened(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.action in REWRITES:
        classifier, bundle = load_bundle(arguments.bundle)
        return {"bundle": classifier, "manifest": bundle.manifest, "files": bundle.files}
    return {name: load_classifier(getattr(arguments, name)) for name in BUNDLES.get(arguments.action, ())}
