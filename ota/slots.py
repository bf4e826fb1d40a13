"""The two slots on the disk: `slots.json`, whose replacement is the whole of a change, and the tars that it names.

Everything is done under `ota.lock.locked`, by `Slots` that were loaded under it: another process may have changed them
before. It waits for the disk: call it by `asyncio.to_thread`.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from ota import slot_moves as moves
from ota.errors import BadBundle, Busy, NoRoom, Untrusted
from ota.slot_states import HOLDING, MAX_LENGTH_BYTES, Held, Record, Shipped, SlotName, SlotState
from ota.storage import HALF, Disk
from ota.types import Release

FILE: Final = "slots.json"
FOLDER: Final = "slots"
MAX_RECORD_BYTES: Final = 256 * 1024  # a record at all its bounds, in characters of four bytes, has half of it
STEADY_S: Final = 900  # what a model does to the firmware it does with its first pictures, which come each few minutes
SPARE_BYTES: Final = 16 * 1024 * 1024  # of the disk, for those who write alarms and messages
MEDIUM: Final = {errno.EIO, errno.EUCLEAN, errno.EBADMSG}  # the file is there, and cannot be read any more
LOOK: Final = "Look with `df -h` and `ls -l` whether there is room and the firmware may write there; else replace it"
PUBLISH: Final = "This board keeps what it has; publish a new release, under a higher counter"
AGAIN: Final = "This board keeps what it has, and fetches it again"


def tar_of(folder: Path, name: SlotName) -> Path:
    """Where the bytes of a slot are, in the folder of the updates."""
    return folder / FOLDER / f"{name.value}.tar"


class Saved(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The file."""

    version: Literal[1] = 1
    record: Record


class Slots:
    """What is in the slots, as proved when this was loaded, and each change of it.

    A change that raises `NoRoom` (the disk is full, worn or not ours) was made wholly or not at all, and the next load
    shows which; the active model stays in each case. `trouble` is what the disk refused that can wait, in words.
    """

    def __init__(self, disk: Disk, folder: Path, record: Record, *, shipped: Shipped, now_s: Callable[[], int]) -> None:
        """By `load`."""
        self._disk, self._folder, self._shipped, self._now_s = disk, folder, shipped, now_s
        self.record = record
        self.trouble = ""
        self._lasts = False

    @classmethod
    def load(cls, disk: Disk, folder: Path, *, shipped: Shipped, now_s: Callable[[], int]) -> Slots:
        """Read the record, prove each tar that it names, give up what waits for too long, sweep what nobody names.

        A tar that cannot be proved is lost: what was active before runs, or the model in the firmware. So it is with
        both where the record is torn: the release is fetched, and tried, anew. A disk that takes nothing leaves all
        that for the next time, and what is to run is right all the same. `now_s` counts since 1970, by a clock that is
        trusted. Raises `NoRoom` where reading is refused.
        """
        slots = cls(disk, folder, Record(), shipped=shipped, now_s=now_s)
        found = slots._find()
        slots._settle(found)
        return slots

    @classmethod
    def seen(cls, disk: Disk, folder: Path, *, shipped: Shipped, now_s: Callable[[], int]) -> Slots:
        """As `load`, but the disk is left as it is, so that nobody has to be alone: for whoever only looks."""
        slots = cls(disk, folder, Record(), shipped=shipped, now_s=now_s)
        slots._find()
        return slots

    @property
    def running(self) -> Path | None:
        """The tar of the model that counts; None: the one in the firmware."""
        name = moves.chosen(self.record)
        return None if name is None else self.tar(name)

    @property
    def running_before_a_verdict(self) -> Path | None:
        """The same, but instead of a model on probation what was before it: see `started`."""
        on_probation = self.record.pending is not None and self.record.pending is self.record.active
        name = self.record.previous if on_probation else self.record.active
        return None if name is None else self.tar(name)

    def tar(self, name: SlotName) -> Path:
        return tar_of(self._folder, name)

    def stage(self, release: Release, source: bytes | Path, *, older: bool = False) -> None:
        """Put it into the inactive slot. What waits there already is left alone.

        `source` is the tar, or where a whole download is, which stays. `older`: also one that is not newer.
        Raises `Untrusted` for what is not to be staged, `Busy` during a probation, as it would cost the model to go
        back to, `BadBundle` for bytes that are not the release's, and `NoRoom`.
        Whatever it raises, the active model stays, and so does the previous one but for an error of the last moment.
        """
        new = Held.of(release)
        waiting = self.record.pending
        if waiting is not None and self.record[waiting].state is SlotState.PROBATION:
            raise Busy(f"{self.record[waiting].holds} is on probation", remedy="Try again after its verdict")
        if waiting is not None and self.record[waiting].holds == new:
            return
        if refused := moves.refusal(self.record, new, shipped=self._shipped, older=older):
            raise Untrusted(refused, remedy=PUBLISH)
        try:
            with _no_room(self._folder):
                self._stage(new, source, self.record.inactive)
        except (NoRoom, BadBundle):
            self._sweep(self.record)
            raise

    def begin_trial(self, why: str) -> None:
        """It passed its examination."""
        self._keep(moves.trial_begun(self.record, now_s=self._now_s(), why=why))

    def started(self) -> None:
        """To be called once at each start of the firmware, before any model runs.

        If it raises `NoRoom`, the start is not counted: until the next one leave a staged model or one on trial alone,
        and instead of one on probation run the previous one.
        """
        self._keep(moves.started(self.record, now_s=self._now_s()))

    def steady(self) -> None:
        """To be called once, when the firmware has run for `STEADY_S`."""
        self._keep(moves.steady(self.record))

    def passed(self, why: str) -> None:
        """The model on trial counts from now on: the swap is one replacement of one file. It is on probation."""
        self._keep(moves.passed(self.record, now_s=self._now_s(), why=why))

    def kept(self, why: str) -> None:
        """The model on probation is the board's."""
        self._keep(moves.kept(self.record, now_s=self._now_s(), why=why))

    def failed(self, why: str) -> None:
        """The model that waits for a verdict is not good here: its bytes go, and its hash is never staged again."""
        self._keep(moves.failed(self.record, now_s=self._now_s(), why=why))

    def give_up(self, why: str) -> None:
        """There will be no verdict on the pending model: its bytes go, and the release may come again."""
        self._keep(moves.given_up(self.record, now_s=self._now_s(), why=why))

    def roll_back(self, why: str) -> None:
        """To the previous model, or to the one in the firmware; the active one is BAD."""
        self._keep(moves.rolled_back(self.record, now_s=self._now_s(), why=why))

    def unusable(self, why: str) -> None:
        """The active model cannot be loaded: as `roll_back`, by the firmware itself."""
        self._keep(moves.unusable(self.record, now_s=self._now_s(), why=why))

    def _find(self) -> Record | None:
        """What is on the disk, and as `record` what is to be made of it."""
        with _no_room(self._folder):
            found = self._read()
            self.record = moves.overdue(self._proved(found or Record()), now_s=self._now_s())
        return found

    def _read(self) -> Record | None:
        """None where there is no record, or none that can be read: `trouble` says so."""
        path = self._folder / FILE
        try:
            content = self._disk.read(path, MAX_RECORD_BYTES)
            if content is None:
                return None
            if len(content) > MAX_RECORD_BYTES:
                raise msgspec.ValidationError(f"more than {MAX_RECORD_BYTES} bytes")
            return msgspec.json.decode(content, type=Saved).record
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            if isinstance(error, OSError) and error.errno not in MEDIUM:
                raise
            self.trouble = f"{path} is damaged ({error}): what was installed has to be tried again"
            return None

    def _proved(self, record: Record) -> Record:
        for name in SlotName:
            held = record[name].holds
            if record[name].state not in HOLDING or held is None:
                continue
            if self._measured(self.tar(name)) != (held.length, held.sha256):
                record = moves.lost(record, name, now_s=self._now_s(), why="the bytes are not those that were proved")
        return record

    def _measured(self, path: Path) -> tuple[int, str]:
        """Length and SHA-256 of a file; of none where there is none, or none that can be read."""
        try:
            length = self._disk.size(path)
            if length is None or length > MAX_LENGTH_BYTES:
                return 0, ""
            digest = hashlib.sha256()
            for piece in self._disk.pieces(path):
                digest.update(piece)
            return length, digest.hexdigest()
        except OSError as error:
            if error.errno not in MEDIUM:
                raise
            return 0, ""

    def _settle(self, found: Record | None) -> None:
        """Make what was found last, and then what was decided. Nothing that either names is swept before."""
        try:
            self._make_last()
            self._sweep(found or self.record, self.record)  # it may make the room that the rest needs
            if self.record != found:
                self._disk.replace(self._folder / FILE, _encoded(self.record))
        except OSError as error:
            self.trouble = f"{self._folder}: {error.strerror or error}"
        else:
            self._sweep(self.record)

    def _make_last(self) -> None:
        """What is there: a process that was killed may have left names that do not last yet. Once, before a change."""
        if not self._lasts:
            self._disk.make_folder(self._folder / FOLDER)
            for folder in (self._folder / FOLDER, self._folder, self._folder.parent):
                self._disk.sync(folder)
            self._lasts = True

    def _stage(self, new: Held, source: bytes | Path, name: SlotName) -> None:
        self._make_last()
        self._require_room(new)
        tar = self.tar(name)
        half = tar.with_name(tar.name + HALF)
        # A download is written anew, not moved: if a sync of it ever failed, no later one makes up for that.
        content = source if isinstance(source, bytes) else self._disk.read(source, new.length) or b""
        self._disk.write(half, content)
        self._disk.sync(half)
        if self._measured(half) != (new.length, new.sha256):
            raise BadBundle(f"{new}: the bytes on the disk are not those of the release", remedy=AGAIN)
        # A cut from here on leaves bytes that the record does not name: the next load gives them up.
        self._disk.rename(half, tar)
        self._disk.sync(tar.parent)
        freed = moves.freed(self.record, now_s=self._now_s(), why=f"makes room for {new}")
        self._replace(moves.staged(freed, name, new, now_s=self._now_s(), why="fetched and proved"))

    def _require_room(self, new: Held) -> None:
        free = self._disk.free(self._folder / FOLDER)
        if free < new.length + SPARE_BYTES:
            raise NoRoom(
                f"{self._folder}: {free} bytes are free, and {new} takes {new.length} besides the {SPARE_BYTES} that "
                f"are left for the rest of the board",
                remedy="Free space on that disk",
            )

    def _keep(self, record: Record) -> None:
        with _no_room(self._folder):
            self._make_last()
            self._replace(record)
        self._sweep(record)

    def _replace(self, record: Record) -> None:
        if record != self.record:
            self._disk.replace(self._folder / FILE, _encoded(record))
            self.record = record

    def _sweep(self, *records: Record) -> None:
        """Remove what none of them names. What cannot be removed now waits for the next load."""
        named = {self.tar(name) for record in records for name in SlotName if record[name].state in HOLDING}
        folder = self._folder / FOLDER
        try:
            for path in (*map(folder.joinpath, self._disk.names(folder)), self._folder / (FILE + HALF)):
                if path not in named:
                    self._disk.remove(path)
        except OSError as error:
            self.trouble = f"{folder} cannot be tidied up: {error.strerror or error}"


@contextmanager
def _no_room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NoRoom(f"{folder}: {error.strerror or error}", remedy=LOOK) from error


def _encoded(record: Record) -> bytes:
    return msgspec.json.encode(Saved(record=record)) + b"\n"
