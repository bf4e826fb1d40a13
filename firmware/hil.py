"""`ductwatch hil play`: hands over to the virtual bench, which comes with the repository, never with the firmware."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]  # where this file lies in a checkout
EX_USAGE = 2


def main(arguments: argparse.Namespace) -> int:
    if not (REPOSITORY / "hil/play/app.py").is_file():
        return _refuse("the rig comes with ductwatch's repository, not with the firmware: run `make play` in a clone.")
    sys.path.insert(0, str(REPOSITORY))
    try:
        play = importlib.import_module("hil.play.app")
    except ModuleNotFoundError as error:
        return _refuse(f"the rig needs the Python package {error.name}: run `make play` in {REPOSITORY}.")
    return int(play.main(arguments))


def _refuse(why: str) -> int:
    print(f"ductwatch: {why}", file=sys.stderr)
    return EX_USAGE
