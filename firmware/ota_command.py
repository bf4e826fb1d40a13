"""`ductwatch ota`: which of its actions is asked for."""

from __future__ import annotations

import importlib
from argparse import Namespace

PUBLISHER = "firmware.publisher.command"
BOARD = "firmware.update_command"
ACTIONS = {
    "status": BOARD,
    "check": BOARD,
    "install": BOARD,
    "rollback": BOARD,
    "history": BOARD,
    "init": PUBLISHER,
    "key": PUBLISHER,
    "publish": PUBLISHER,
    "promote": PUBLISHER,
    "sign": PUBLISHER,
    "merge": PUBLISHER,
    "refresh": PUBLISHER,
    "rotate-key": PUBLISHER,
    "revoke": PUBLISHER,
    "show": PUBLISHER,
    "rollout": "firmware.rollout_command",
    "jobs-server": "firmware.jobs_server_command",
}
"""Modules with a `main(arguments) -> int`. None of them is ever imported by the firmware that runs on a board."""


def main(arguments: Namespace) -> int:
    """Raises `ConfigError` where something that was given cannot be used."""
    return int(importlib.import_module(ACTIONS[arguments.action]).main(arguments))
