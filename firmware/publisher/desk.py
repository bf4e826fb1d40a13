"""The publisher's desk: shows a draft, asks, has it signed, and puts it into the repository or into a ceremony."""

from __future__ import annotations

import json
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from firmware.cli_ota import REPOSITORY
from firmware.errors import ConfigError
from firmware.publisher.passphrases import Passphrases, is_terminal
from firmware.terminal import printable
from ota.publish import ceremony, keyring, offers, signing, store, words
from ota.publish.drafts import Draft
from ota.publish.errors import AlreadySo, Refused
from ota.publish.files import ROOT_FOR_BOARDS, Folder
from ota.publish.keyring import Keyring
from ota.publish.roles import ROOT
from ota.publish.state import State, channels, targets
from ota.storage import Disk

NOT_OF_THE_CHANGE = {"yes", "json", "passphrase_files", "online_passphrase_file", "pin_file"}
MakeDelta = Callable[[bytes, bytes], bytes]
"""From base and target, both tars."""
DONE, NOT_DONE = 0, 1
KEYS, BUNDLES = "keys.json", "bundles"
"""In the publisher's own folder."""


class Desk:
    """One command: its arguments, the time that all dates follow from, the disk, and what makes deltas."""

    def __init__(self, arguments: Namespace, now: datetime, disk: Disk, make_delta: MakeDelta) -> None:
        self.make_delta = make_delta
        self.arguments = arguments
        self.now = now
        self.disk = disk
        self.secrets = Passphrases(getattr(arguments, "passphrase_files", ()), getattr(arguments, "pin_file", None))
        self._as_json: bool = getattr(arguments, "json", False)
        if self._as_json and not getattr(arguments, "yes", True):
            raise ConfigError("--json asks nothing. Add --yes, once you have seen without --json what would be done")

    @contextmanager
    def repository(self, of: str = "") -> Iterator[Folder]:
        """The repository's folder, for this command alone, with an interrupted change finished.

        Raises `AlreadySo` if that was this very command's change; `of` is what is no argument and makes it another one.
        """
        path = self.arguments.repository.absolute()
        if path.parent.exists():
            folder = Folder(path, self.disk, self._named(of))
            with folder.locked():
                finished = folder.resume()
                if finished is not None:
                    changes = f": {'; '.join(finished.changes)}" if finished.changes else ""
                    self.warn([f"finished a change of {path} that was interrupted{changes}"])
                if finished is not None and finished.command == folder.command:
                    raise AlreadySo("That was what this command is to do", remedy=_to_copy(folder))
                yield folder
        else:
            raise Refused(f"{path.parent} is not there", remedy="Make that folder, or name another one")

    def _named(self, of: str) -> str:
        """What tells this command's change from any other's."""
        told = {name: str(value) for name, value in vars(self.arguments).items() if name not in NOT_OF_THE_CHANGE}
        return json.dumps({**told, "of": of}, sort_keys=True)

    @property
    def where(self) -> str:
        """What a command needs, so that it is about this repository: nothing for the one that is meant by default."""
        path: Path = self.arguments.repository
        return "" if path == REPOSITORY else f" --repository {shlex.quote(str(path))}"

    def ring(self, folder: Folder) -> Keyring:
        """The keys where they were made, and those that the command names."""
        kept = keyring.load(folder.own / KEYS, self.disk)
        return Keyring(kept | keyring.added(self.arguments.keys, self.secrets), self.secrets)

    def propose(self, folder: Folder, before: State, draft: Draft, ring: Keyring) -> int:
        """Into a ceremony, if the command names one; else it is signed and published here and now."""
        if self.arguments.ceremony is not None:
            return self.prepare(self.place(folder), before, draft)
        return self.publish(folder, before, draft, ring)

    def place(self, folder: Folder) -> Path:
        """Of the ceremony."""
        place: Path = self.arguments.ceremony
        if folder.holds(place):
            raise Refused(f"{place} is inside of {folder.path}", remedy="It would be published: name another folder")
        return place

    def prepare(self, place: Path, before: State, draft: Draft) -> int:
        """A folder for keyholders, once somebody has agreed."""
        if not self.agreed([f"To be signed by keyholders, in {place}:", *words.plan(before, draft, self.now)]):
            return NOT_DONE
        return self.lay_out(place, before, draft)

    def lay_out(self, place: Path, before: State, draft: Draft) -> int:
        """A folder for keyholders, without asking."""
        summary = "\n".join(words.plan(before, draft, self.now))
        ceremony.write(place, before, draft, summary + "\n", self.disk)
        self.tell(
            {"done": False, "ceremony": str(place), **words.plan_json(before, draft, self.now)},
            f"Give {place} to the keyholders. Each: ductwatch ota sign {shlex.quote(str(place))} --key KEY",
            f"Then, here: ductwatch ota merge {shlex.quote(str(place))}{self.where}",
        )
        return DONE

    def publish(self, folder: Folder, before: State, draft: Draft, ring: Keyring) -> int:
        """At once, with the keys at hand, if somebody agrees."""
        self._say_and_check(folder, before, draft, ring)
        return self.sign_and_write(folder, before, draft, ring) if self._agrees() else NOT_DONE

    def sign_and_write(self, folder: Folder, before: State, draft: Draft, ring: Keyring) -> int:
        """The same without asking."""
        signing.sign(before, draft, ring)
        return self._write(folder, before, draft, ring)

    def merge(self, folder: Folder, before: State, draft: Draft, ring: Keyring) -> int:
        """What is signed already, and needs the online keys, only."""
        signing.check_timely(before, draft, self.now)
        signing.check_signed(before, draft)
        online = tuple(role for role in signing.changed(before, draft, self.now) if role not in draft.metadata)
        self._say_and_check(folder, before, draft, ring, online)
        return self._write(folder, before, draft, ring) if self._agrees() else NOT_DONE

    def agreed(self, lines: Sequence[str]) -> bool:
        """Show what would be done, and ask. Raises `ConfigError` where nobody can answer."""
        self._show(lines)
        return self._agrees()

    def tell(self, document: Mapping[str, Any], *lines: str) -> None:
        """What was done: as JSON, or in words."""
        if self._as_json:
            print(json.dumps(document, indent=2))
        else:
            self._show(lines)

    def warn(self, lines: Sequence[str]) -> None:
        """What nobody asked for and somebody should know: where cron finds it, and not amid JSON."""
        for line in lines:
            print(f"ductwatch: {printable(line)}", file=sys.stderr)

    def _write(self, folder: Folder, before: State, draft: Draft, ring: Keyring) -> int:
        """Seal it with the online keys, and replace the repository's files."""
        told = words.plan_json(before, draft, self.now)
        files = signing.sealed(before, draft, ring, self.now)
        for channel in draft.metadata:
            if channel in channels({**before, **draft.metadata}):
                for release in offers.offered(targets(draft.metadata, channel)).values():
                    if release.target.path in draft.files:
                        tar = draft.files[release.target.path]
                        store.keep(folder.own / BUNDLES, channel, release, tar, self.disk)
        folder.replace(files, told["changes"])
        self.tell(
            {"done": True, **told, "files": list(files)},
            f"Published. {_to_copy(folder)}.",
            *([f"New boards trust it by {folder.own / ROOT_FOR_BOARDS}."] if ROOT in draft.metadata else []),
        )
        return DONE

    def _show(self, lines: Sequence[str]) -> None:
        if not self._as_json:
            print("\n".join(map(printable, lines)))

    def _agrees(self) -> bool:
        if self.arguments.yes:
            return True
        if not is_terminal():
            raise ConfigError("nobody can be asked here. Add --yes if all that is right")
        if input("Go on? [y/N] ").strip().lower() in ("y", "yes"):
            return True
        print("Nothing was done.")
        return False

    def _say_and_check(
        self, folder: Folder, before: State, draft: Draft, ring: Keyring, roles: tuple[str, ...] | None = None
    ) -> None:
        """Also where it cannot be signed here: then one sees at once who is needed."""
        self._show([f"To be published in {folder.path}:", *words.plan(before, draft, self.now, ring)])
        needed = signing.changed(before, draft, self.now) if roles is None else roles
        lacking = signing.unreachable(before, draft, needed, ring)
        if lacking:
            raise Refused(
                f"keys are not at hand: {'; '.join(map(str, lacking))}",
                remedy="Name them by --key, or prepare what their keepers sign: add --ceremony FOLDER",
            )


def _to_copy(folder: Folder) -> str:
    return f"Copy {folder.path} to its server, metadata/timestamp.json last"
