"""The command line of `ductwatch ota` for whoever stands at a board."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


EXIT_CODES = """exit status:
  0  done; of `check` and `install`: a model is on trial, or there is nothing new
  1  not done; the message says why
  2  no firmware answers, or the request is wrong
"""


def add_technician(actions: Actions) -> None:
    """Each asks the firmware that runs on this board."""
    _asking(_added(actions, "status", "on a board: which model counts, and how far a new one is"))
    check = _asking(_added(actions, "check", "on a board: ask the repository for a new model now"))
    _waiting(check)
    install = _asking(
        _added(
            actions,
            "install",
            "on a board: take the model that is on a stick, or in another repository",
            description="Take the model that the board's channel has in another repository: a stick needs no network. "
            "It is checked and tried as any other.",
        )
    )
    install.add_argument("where", metavar="PATH-OR-URL", help="the folder that has metadata/ and targets/")
    install.add_argument(
        "--older",
        action="store_true",
        help="also one that is not newer; never one that failed or was rolled back on this board",
    )
    _waiting(install)
    rollback = _asking(_added(actions, "rollback", "on a board: back to the model before, now and for good"))
    rollback.add_argument("--by", metavar="NAME", help="who you are (default: the user of the shell)")
    history = _asking(_added(actions, "history", "on a board: which model came, passed, failed, and why"))
    history.add_argument("--limit", type=_count, default=50, metavar="N", help="the last N (default %(default)s)")


def _added(actions: Actions, name: str, what: str, description: str | None = None) -> argparse.ArgumentParser:
    return actions.add_parser(
        name,
        help=what,
        description=description,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _asking(action: argparse.ArgumentParser) -> argparse.ArgumentParser:
    action.add_argument("--config", type=Path, metavar="FILE", help="the board's configuration")
    action.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="its data directory (default: that of --config, or /var/lib/ductwatch)",
    )
    action.add_argument("--json", action="store_true", help="JSON (docs/ota-board.md)")
    return action


def _waiting(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--no-wait", dest="wait", action="store_false", help="do not wait until it is known whether one goes on trial"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r}: write a number from 1 to 1000")
    return int(text)
