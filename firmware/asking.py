"""Commands that ask the firmware which runs on this board, at the socket in its data directory."""

from __future__ import annotations

import getpass
import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware import config
from firmware.config import Board
from firmware.errors import ConfigError
from firmware.local.door import NAME, Unreachable, ask

USUAL = (Board().data, Path("/data/ductwatch"))
"""The second is that of a board image, where only the service itself sees it as the first."""


def asked(arguments: Namespace, request: Mapping[str, Any]) -> dict[str, Any]:
    """What it answers. Raises `ConfigError` if nobody answers, or it refuses."""
    try:
        reply = json.loads(ask(data_directory(arguments) / NAME, json.dumps(request).encode()))
    except Unreachable as error:
        raise ConfigError(str(error)) from error
    if "error" in reply:
        raise ConfigError(reply["error"])
    found: dict[str, Any] = reply
    return found


def data_directory(arguments: Namespace) -> Path:
    """That of `--data`, of `--config`, or the usual one; both may be missing."""
    if (data := getattr(arguments, "data", None)) is not None:
        return Path(data)
    chosen = getattr(arguments, "config", None)
    return config.load(chosen).board.data if chosen else answered(USUAL)


def answered(places: Sequence[Path]) -> Path:
    """The first of these data directories where a firmware has its socket; the very first if there is none."""
    return next((place for place in places if (place / NAME).exists()), places[0])


def user() -> str:
    """Whoever sits at this shell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # nobody whom /etc/passwd knows
        return "local"
