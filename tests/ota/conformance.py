"""The board's trust behind the command line of theupdateframework/tuf-conformance: init, refresh, download.

Only the limits differ from a board's, which are too tight for some of the suite's repositories: they are python-tuf's.
In a checkout of that repository, with its requirements and `faketime` installed:

    pytest tuf_conformance --entrypoint "PYTHON CHECKOUT/tests/ota/conformance_client"

where PYTHON is that of this project's environment, and CHECKOUT this checkout.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Metadata, Root, TargetFile

from ota.errors import OtaError, Untrusted
from ota.storage import Disk
from ota.trust import Trust
from ota.walk import Limits, LookUp
from ota.web import Web

T = TypeVar("T")

LIMITS = Limits(
    root_bytes=512_000,
    timestamp_bytes=16_384,
    snapshot_bytes=2_000_000,
    targets_bytes=5_000_000,
    delegations=32,
    root_rotations=256,
)
BUILT = datetime.min.replace(tzinfo=UTC)


def main() -> int:
    """0 where all went well, else 1: that is what the suite looks at, and at the files."""
    parser = argparse.ArgumentParser()
    for name in ("metadata-dir", "target-dir"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("metadata-url", "target-base-url", "target-name"):
        parser.add_argument(f"--{name}")
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("init").add_argument("trusted_root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    given = parser.parse_args()
    home = given.metadata_dir.parent  # where a board has `metadata/`
    try:
        if given.command == "init":
            init(home, given.trusted_root)
        elif given.command == "refresh":
            visit(home, given.metadata_url, lambda _: None)
        else:
            download(home, given)
    except (OtaError, LengthOrHashMismatchError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def init(home: Path, trusted_root: Path) -> None:
    """Put the root where the firmware would have it, and where the suite looks for it."""
    for path in (shipped(home), home / "metadata" / "root.json"):
        path.write_bytes(trusted_root.read_bytes())


def shipped(home: Path) -> Path:
    return home / "shipped_root.json"


def visit(home: Path, metadata_url: str, find: Callable[[LookUp], T]) -> T:
    base = metadata_url.rstrip("/").removesuffix("metadata")
    trust = Trust(home, Disk(), shipped(home).read_bytes(), built=BUILT, scratch=home, limits=LIMITS)
    with Web(base, allow_http=True) as web:
        return trust.refresh(web, find, datetime.now(UTC))


def download(home: Path, given: argparse.Namespace) -> None:
    """Only here are bytes of a target fetched in one piece: on a board, `ota.download` does that."""
    target = visit(home, given.metadata_url, lambda look_up: look_up(given.target_name))
    if target is None:
        raise Untrusted(f"{given.target_name}: no role offers it", remedy="Look for its right name")
    path = given.target_dir / quote(given.target_name, "")
    if path.is_file() and is_whole(target, path.read_bytes()):
        return
    with Web(given.target_base_url, allow_http=True) as web:
        content = web.read(stored_as(home, target), target.length)
    target.verify_length_and_hashes(content or b"")
    path.write_bytes(content or b"")


def is_whole(target: TargetFile, content: bytes) -> bool:
    try:
        target.verify_length_and_hashes(content)
    except LengthOrHashMismatchError:
        return False
    return True


def stored_as(home: Path, target: TargetFile) -> str:
    """With consistent snapshots, a hash comes before its name."""
    root: Root = Metadata.from_file(str(home / "metadata" / "root.json")).signed
    if not root.consistent_snapshot:
        return target.path
    folder, slash, name = target.path.rpartition("/")
    return f"{folder}{slash}{next(iter(target.hashes.values()))}.{name}"
