"""A board's way to a release: by a delta or whole, and who may do what meanwhile."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model.shipped import shipped_bundle
from ota.bundle import open_bundle, pack, recounted
from ota.delta.make import make
from ota.download import Downloads
from ota.errors import Busy, NotThere
from ota.folder import Folder
from ota.lock import VISIT, locked
from ota.pace import CLOCKS, Pace
from ota.repository import Answer, Repository, Watch, stored_at
from ota.types import Delta, Release, Target
from ota.updater import Updater, Wanted
from tests.ota.board import Board, QuickDisk
from tests.ota.builders import SHIPPED
from tests.ota.repository import MODEL, NOW, SimulatedRepository

pytestmark = pytest.mark.real

BASE = open_bundle(shipped_bundle())
OLD, NEW = pack(BASE), pack(recounted(BASE, 9))


def target(path: str, content: bytes) -> Target:
    return Target(path=path, length=len(content), sha256=hashlib.sha256(content).hexdigest())


class Way:
    """A board, and a folder that has a release, and a delta to it from the model in the firmware."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "ota"
        self.repository = home / "repository"
        delta = make(OLD, NEW)
        self.delta = target("stable/delta", delta)
        self.release = Release(
            target=target("stable/visual-clean.tar", NEW),
            model=MODEL,
            version="9",
            counter=9,
            hardware=("any",),
            deltas=(Delta(base=hashlib.sha256(OLD).hexdigest(), target=self.delta),),
        )
        self.put(self.release.target, NEW)
        self.put(self.delta, delta)
        self.updater = Updater(
            self.folder,
            QuickDisk(),
            wanted=Wanted(channel="stable", model=MODEL, hardware=frozenset()),
            shipped=SHIPPED,
            shipped_bundle=shipped_bundle(),
            now=lambda: NOW,
        )

    def put(self, what: Target, content: bytes) -> None:
        path = self.repository / stored_at(what)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def remove(self, what: Target) -> None:
        (self.repository / stored_at(what)).unlink()

    def fetch(self, repository: Repository | None = None) -> str | None:
        return self.updater.fetch(
            self.release,
            repository or Folder(self.repository),
            Downloads(self.folder, QuickDisk(), Pace(), clocks=CLOCKS._replace(today=lambda: 1)),
            progress=lambda _here, _of: None,
            stopped=lambda: False,
        )


@pytest.fixture
def way(tmp_path: Path) -> Way:
    return Way(tmp_path)


def test_a_delta_is_taken_where_there_is_one(way: Way) -> None:
    assert way.fetch() == f"by a delta of {way.delta.length} bytes instead of {len(NEW)}"


def test_a_delta_that_is_not_there_or_not_what_was_signed_costs_no_update(way: Way) -> None:
    way.remove(way.delta)
    assert way.fetch() == f"whole, {len(NEW)} bytes"


def test_nor_does_one_with_other_bytes(way: Way) -> None:
    way.put(way.delta, bytes(way.delta.length))
    assert way.fetch() == f"whole, {len(NEW)} bytes"


def test_a_release_that_is_not_there_is_said_so(way: Way) -> None:
    way.remove(way.delta)
    way.remove(way.release.target)
    with pytest.raises(NotThere):
        way.fetch()


def test_parts_of_what_is_not_offered_any_more_go_before_their_room_is_needed(way: Way) -> None:
    parts = way.folder / "part"
    parts.mkdir(parents=True)
    old, own = parts / f"{'0' * 64}.part", parts / f"{way.release.target.sha256}.part"
    old.write_bytes(b"of an older release")
    own.write_bytes(NEW[:1000])
    seen: list[tuple[bool, bool]] = []

    class Watching(Folder):
        @contextmanager
        def open(self, name: str, first: int, length: int, watch: Watch) -> Iterator[Answer]:
            seen.append((old.exists(), own.exists()))
            with super().open(name, first, length, watch) as answer:
                yield answer

    assert way.fetch(Watching(way.repository)) is not None
    assert seen == [(False, True)]


def test_one_visit_at_a_time(way: Way) -> None:
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(way.folder, VISIT):
            begun.set()
            over.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert begun.wait(30)
        with pytest.raises(Busy, match="another update is under way"):
            way.fetch()
        with way.updater.slots():  # which is for nothing that lasts
            pass
    finally:
        over.set()
        holder.join()


def test_the_slots_are_free_while_a_repository_is_asked(tmp_path: Path) -> None:
    source = SimulatedRepository(tmp_path / "source")
    source.offer(9)
    home = tmp_path / "home"
    way, board = Way(home), Board(home, source.first_root)
    asked: list[str] = []

    class Slow(Folder):
        def read(self, name: str, limit: int) -> bytes | None:
            with way.updater.slots():
                asked.append(name)
            return super().read(name, limit)

    release, why = way.updater.look(board.trust(), Slow(source.folder))

    assert asked
    assert release is not None
    assert release.counter == 9
    assert why == ""
