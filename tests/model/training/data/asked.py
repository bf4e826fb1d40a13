"""What the command line hands to `ductwatch model data`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from firmware.cli import parser


def asked(data: Path, *options: str) -> Namespace:
    return parser().parse_args(["model", "data", str(data), *options])
