"""`ductwatch preset`: writes the system files of `[system]`. Runs early at every boot, so it imports little."""

from __future__ import annotations

import grp
import json
import os
import socket
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from firmware.document import Document, nearest, read
from firmware.errors import ConfigMissing
from firmware.system.files import ZONES, Entry, decide
from firmware.system.settings import System

EX_UNWRITTEN = 1
ZONE_MAGIC = b"TZif"  # RFC 8536
THE_BOARD = Path("/")
UNCHANGED = -1  # chown(2)
REMEDY = "Be root on a board whose root can be written to; to look at the files elsewhere, use --root DIR."


class Unwritten(Exception):
    """What was asked for could not be done to the file system or the kernel. The message says what to do."""


def main(arguments: Namespace) -> int:
    """Write the files below `--root`; 1 if that fails. Raises `ConfigError`, and has written nothing then."""
    on_board = arguments.root.resolve() == THE_BOARD
    try:
        system = load(arguments.config, Path(ZONES))
        entries = decide(system)
        write(entries, arguments.root, group_id if on_board else None)
        if on_board and system.hostname is not None:
            _name_kernel(system.hostname)
    except ConfigMissing:
        entries, told = (), "is not there, so nothing is preset: the board has its factory settings"
    except Unwritten as error:
        print(f"ductwatch: {error}", file=sys.stderr)
        return EX_UNWRITTEN
    else:
        told = "presets" if entries else "presets nothing: what the image has stays"
    if arguments.json:
        listed = [_as_json(entry) for entry in entries]
        report = {"schema": "ductwatch.preset/1", "config": str(arguments.config), "root": str(arguments.root)}
        print(json.dumps(report | {"entries": listed}, indent=2))
    else:
        print(f"{arguments.config} {told}", *(_line(entry) for entry in entries), sep="\n")
    return 0


def load(path: Path, zones: Path) -> System:
    """Only `[system]` of a configuration file, so that a camera gone wrong cuts nobody off. Raises `ConfigError`."""
    document = read(path)
    _refuse_misspelt(document)
    system = document.section("system", System)
    if system.timezone is not None and not _is_zone(zones / system.timezone):
        raise document.error(("system", "timezone"), f"timezone: there is no {system.timezone!r}: see {zones}")
    return system


def _refuse_misspelt(document: Document) -> None:
    for key in document.tables:
        if key != "system" and (meant := nearest(key, ["system"])):
            raise document.error((key,), f"unknown table [{key}]{meant}")


def _is_zone(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(ZONE_MAGIC)) == ZONE_MAGIC
    except OSError:
        return False


def write(entries: Sequence[Entry], root: Path, group_id: Callable[[str], int] | None) -> None:
    """Write all files beside their places, then move all there. Without `group_id` their group is left alone.

    Raises `Unwritten`, and has touched no file then, unless the moving itself fails.
    """
    groups = {entry.group: group_id(entry.group) if group_id else UNCHANGED for entry in entries}
    staged: dict[Path, Path] = {}
    try:
        for entry in entries:
            path = root / entry.path.relative_to(THE_BOARD)
            if entry.is_directory:
                _make_directory(path)
                path.chmod(entry.mode)
                os.chown(path, UNCHANGED, groups[entry.group])
            else:
                _make_directory(path.parent)
                beside = path.with_name(f".{path.name}.new")
                beside.unlink(missing_ok=True)
                staged[beside] = path
                _put(entry, beside, groups[entry.group])
        for beside, path in staged.items():
            beside.replace(path)
    except OSError as error:
        raise Unwritten(f"{error.filename}: cannot be written: {error.strerror}. {REMEDY}") from error
    finally:
        for beside in staged:
            beside.unlink(missing_ok=True)


def _make_directory(path: Path) -> None:
    """With its parents. Anybody may enter, whatever the umask: systemd-networkd is not root."""
    if not path.is_dir():
        _make_directory(path.parent)
        path.mkdir()
        path.chmod(0o755)


def _put(entry: Entry, path: Path, group: int) -> None:
    if entry.target is not None:
        path.symlink_to(entry.target)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        os.fchown(descriptor, UNCHANGED, group)
        os.fchmod(descriptor, entry.mode)
        file.write(entry.text or "")


def group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise Unwritten(
            f"there is no group {name}. Install packaging/ductwatch.sysusers, run systemd-sysusers."
        ) from error


def _name_kernel(hostname: str) -> None:
    try:
        socket.sethostname(hostname)
    except OSError as error:
        raise Unwritten(f"the kernel does not take the name {hostname}: {error.strerror}. {REMEDY}") from error


def _line(entry: Entry) -> str:
    if entry.target is not None:
        return f"  {entry.path} -> {entry.target}"
    return f"  {entry.path}  {entry.mode:04o} root:{entry.group}"


def _as_json(entry: Entry) -> dict[str, str]:
    if entry.target is not None:
        return {"path": str(entry.path), "target": str(entry.target)}
    return {"path": str(entry.path), "mode": f"{entry.mode:04o}", "owner": "root", "group": entry.group}
