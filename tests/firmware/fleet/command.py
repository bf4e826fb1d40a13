"""`ductwatch ota rollout` and `ota jobs-server` as a process of their own, without the other actions of `ota`."""

from __future__ import annotations

import argparse
import importlib
import sys

from firmware.cli_rollout import add_jobs_server, add_rollout
from firmware.errors import ConfigError

MODULES = {"rollout": "firmware.rollout_command", "jobs-server": "firmware.jobs_server_command"}


def main() -> int:
    parser = argparse.ArgumentParser()
    actions = parser.add_subparsers(dest="action", required=True)
    add_rollout(actions)
    add_jobs_server(actions)
    arguments = parser.parse_args()
    try:
        return int(importlib.import_module(MODULES[arguments.action]).main(arguments))
    except ConfigError as error:
        print(f"ductwatch: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
