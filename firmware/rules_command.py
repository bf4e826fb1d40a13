"""`ductwatch rules`: which of its actions is asked for."""

from __future__ import annotations

from argparse import Namespace

from firmware import rules_check, rules_replay, rules_test

ACTIONS = {"check": rules_check.main, "test": rules_test.main, "replay": rules_replay.main}


def main(arguments: Namespace) -> int:
    """Raises `ConfigError` for a file that cannot be used."""
    return ACTIONS[arguments.action](arguments)
