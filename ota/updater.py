"""The update of this board, in steps that a power cut may part: each proves what it needs, and believes no step before.

Synchronous: it waits for the network and for the disk. Only `fetch` takes long, and ends soon once `stopped` says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ota import slot_moves
from ota.bundle import open_bundle, pack
from ota.delta.apply import apply
from ota.download import Downloads, Progress
from ota.errors import BadBundle, NoRoom, NotThere, Untrusted
from ota.lock import SLOTS, VISIT, locked
from ota.repository import Repository
from ota.slot_states import Held, Record, Shipped, SlotName
from ota.slots import Slots, tar_of
from ota.storage import Disk
from ota.types import Delta, Release

if TYPE_CHECKING:
    from ota.trust import Trust  # with python-tuf, which a board without a root can do without

ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What this board takes: of which channel, which model, for which of its names; `deltas`: whether by way of one."""

    channel: str
    model: str
    hardware: frozenset[str]
    deltas: bool = True


class Updater:
    """The folder of the updates, `folder`: see `ota.lock`. `now` is the wall clock's, in UTC."""

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        *,
        wanted: Wanted,
        shipped: Shipped,
        shipped_bundle: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._folder, self._disk, self._wanted = folder, disk, wanted
        self._shipped_bundle, self._now = shipped_bundle, now
        self.shipped = shipped

    @contextmanager
    def slots(self) -> Iterator[Slots]:
        """The slots as they are, while nobody else may change them. Raises `Busy`, `NoRoom`."""
        with self._alone(SLOTS):
            yield Slots.load(self._disk, self._folder, shipped=self.shipped, now_s=self._now_s)

    def seen_slots(self) -> Slots:
        """The slots as `slots` would give them, now, whoever else may change them: to look at. Raises `NoRoom`."""
        return Slots.seen(self._disk, self._folder, shipped=self.shipped, now_s=self._now_s)

    def tar(self, name: SlotName) -> Path:
        """Where the bundle of a slot is."""
        return tar_of(self._folder, name)

    def counts(self, record: Record) -> Path:
        """The bundle that is to run by this record."""
        name = slot_moves.chosen(record)
        return self._shipped_bundle if name is None else self.tar(name)

    def look(self, trust: Trust, repository: Repository, *, older: bool = False) -> tuple[Release | None, str]:
        """What the channel offers; and why this board is not to take it, empty if it is to.

        `older`: also one that is not newer. Raises `Untrusted`, `Unreachable`, `NoRoom`, `Busy`.
        """
        with self._alone(VISIT):
            release = trust.release(repository, self._wanted.channel, self._wanted.model, self._now())
        if release is None:
            return None, f"the channel {self._wanted.channel} offers no {self._wanted.model}"
        with self.slots() as slots:
            return release, self._refusal(slots.record, release, older=older)

    def fetch(
        self,
        release: Release,
        repository: Repository,
        downloads: Downloads,
        *,
        progress: Progress,
        stopped: Callable[[], bool],
        older: bool = False,
    ) -> str | None:
        """Bring it here, by a delta if there is one to it from what is here, and stage it. How it came, in words.

        None if it was `stopped`: what is here stays, and the next time goes on. The slots are not locked while bytes
        come, which may take hours. Parts of other releases go first: this one may need their room. Raises as `look`,
        and `BadBundle`.
        """
        with self._alone(VISIT):
            downloads.sweep({release.target.sha256, *(way.target.sha256 for way in release.deltas)})
            with self.slots() as slots:
                ways = list(self._ways(slots, release))
            for base, way in ways:
                try:
                    part = downloads.fetch(way.target, repository, progress=progress, stopped=stopped)
                except (NotThere, Untrusted):  # the whole is proved by itself
                    continue
                if part is None:
                    return None
                content = self._applied(base, part, release)
                if content is not None:
                    self._stage(release, content, downloads, older=older)
                    return f"by a delta of {way.target.length} bytes instead of {release.target.length}"
            part = downloads.fetch(release.target, repository, progress=progress, stopped=stopped)
            if part is None:
                return None
            self._stage(release, part, downloads, older=older)
            return f"whole, {release.target.length} bytes"

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        """With that lock. Raises `Busy`, `NoRoom`."""
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self._folder, what))
            except OSError as error:
                problem = f"{self._folder}: {error.strerror or error}"
                raise NoRoom(problem, remedy="Look with `ls -l` whether the firmware may write there") from error
            yield

    def _now_s(self) -> int:
        return int(self._now().timestamp())

    def _stage(self, release: Release, source: bytes | Path, downloads: Downloads, *, older: bool) -> None:
        with self.slots() as slots:
            slots.stage(release, source, older=older)
        downloads.sweep(())

    def _refusal(self, record: Record, release: Release, *, older: bool) -> str:
        if not self._wanted.hardware.union({ANY}).intersection(release.hardware):
            return f"{Held.of(release)} is for {', '.join(release.hardware)}, and this board is none of these"
        return slot_moves.refusal(record, Held.of(release), shipped=self.shipped, older=older)

    def _ways(self, slots: Slots, release: Release) -> Iterator[tuple[bytes, Delta]]:
        """The deltas that lead to it from what is here, with what they lead from; the smallest first."""
        if not self._wanted.deltas or not release.deltas:
            return
        bases = dict(self._bases(slots))
        for way in sorted(release.deltas, key=lambda one: one.target.length):
            if way.base in bases and way.target.length < release.target.length:
                yield bases[way.base], way

    def _bases(self, slots: Slots) -> Iterator[tuple[str, bytes]]:
        """By SHA-256: what runs, what ran before, and the bundle in the firmware as it is published."""
        record = slots.record
        for name in (record.active, record.previous):
            held = None if name is None else record[name].holds
            if name is not None and held is not None:
                content = self._disk.read(slots.tar(name), held.length)
                if content is not None:
                    yield hashlib.sha256(content).hexdigest(), content
        content = pack(open_bundle(self._shipped_bundle))
        yield hashlib.sha256(content).hexdigest(), content

    def _applied(self, base: bytes, part: Path, release: Release) -> bytes | None:
        """None where what comes of it is not the release: then the whole is fetched."""
        found = self._disk.read(part, release.target.length)
        try:
            content = apply(base, found or b"", limit_bytes=release.target.length)
        except BadBundle:
            return None
        proved = len(content) == release.target.length and hashlib.sha256(content).hexdigest() == release.target.sha256
        return content if proved else None
