"""A publisher at work: `ductwatch ota` through the real command line, in a folder of its own."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firmware.cli import parser
from firmware.errors import ConfigError
from firmware.publisher.command import main
from firmware.publisher.desk import MakeDelta
from ota.storage import Disk
from tests.ota.board import QuickDisk

PASSPHRASE = "a passphrase of people"
ONLINE = "a passphrase of a machine"
NOW = datetime.now(UTC)
"""Of the client, too: it has no other clock."""


class Publisher:
    """`updates` is the repository; its keys may lie with those of another one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.updates = home / "updates"
        self.own = home / "updates.publisher"
        self.keys = home / "updates.keys"

    def does(
        self,
        *words: str | Path,
        later: timedelta = timedelta(),
        yes: bool = True,
        disk: Disk | None = None,
        make_delta: MakeDelta = lambda _, target: target,
    ) -> int:
        """One command, that many after NOW; its exit status."""
        line = ["ota", *map(str, words)]
        if words[0] in ("publish", "promote", "merge", "refresh", "rotate-key", "revoke", "show"):
            line += ["--repository", str(self.updates)]
        if yes and words[0] not in ("show", "key"):
            line += ["--yes"]
        try:
            return main(parser().parse_args(line), now=NOW + later, disk=disk or QuickDisk(), make_delta=make_delta)
        except ConfigError as error:
            print(f"ductwatch: {error}", file=sys.stderr)
            return 2

    def published(self) -> dict[str, bytes]:
        """Every file of the repository."""
        return {str(path): path.read_bytes() for path in sorted(self.updates.rglob("*")) if path.is_file()}
