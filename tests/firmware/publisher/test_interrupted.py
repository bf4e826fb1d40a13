"""The machine dies at any write: clients see the old repository or the new one, and the next command goes on.

That what was written lasts through a power cut is `ota.storage`'s business, and shown there.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ota.storage import Disk
from tests.firmware.publisher.conftest import copied
from tests.firmware.publisher.office import Publisher
from tests.ota.board import QuickDisk
from tests.ota.bundles import bundle
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real

CANARY = "canary/visual-clean.tar"


class Died(BaseException):
    """Nothing of the program runs after it."""


class DyingDisk(QuickDisk):
    """Dies before the operation number `at` that changes something; a write dies half done."""

    def __init__(self, at: int) -> None:
        self.left = at

    def write(self, path: Path, content: bytes) -> None:
        if self.left == 0:
            super().write(path, content[: len(content) // 2])
        self._count()
        super().write(path, content)

    def rename(self, path: Path, to: Path) -> None:
        self._count()
        super().rename(path, to)

    def remove(self, path: Path) -> None:
        self._count()
        super().remove(path)

    def make_folder(self, path: Path) -> None:
        if not path.exists():
            self._count()
        super().make_folder(path)

    def _count(self) -> None:
        if self.left == 0:
            raise Died
        self.left -= 1


Change = Callable[[Publisher, Disk | None], int]


def publish(publisher: Publisher, disk: Disk | None) -> int:
    return publisher.does("publish", bundle(publisher.home, 2), "--channel", "canary", disk=disk)


def rotate(role: str, old: str, publisher: Publisher, disk: Disk | None) -> int:
    return publisher.does("rotate-key", role, old, publisher.home / "new.pem", disk=disk)


CHANGES: dict[str, Change] = {
    "publish": publish,
    "rotate the timestamp's key": partial(rotate, "timestamp", "timestamp"),
    "rotate a root key": partial(rotate, "root", "root-1"),
}


def seen(client: Client) -> tuple[int | None, int, int]:
    """What is offered, and by which versions of root and timestamp."""
    offered = client.offered(CANARY)
    trusted = client.updater()._trusted_set  # nothing else tells it
    return offered, trusted.root.version, trusted.timestamp.version


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_wherever_a_command_dies_clients_see_old_or_new_and_the_next_one_goes_on(
    begun: Path, tmp_path: Path, change: Change
) -> None:
    office = copied(begun, tmp_path / "office")
    office.does("publish", bundle(office.home), "--channel", "canary")
    office.does("key", office.home / "new.pem")
    old = seen(Client(tmp_path / "old", office.updates))
    shutil.copytree(office.home, tmp_path / "changed")
    assert change(copied(tmp_path / "changed", tmp_path / "done"), None) == 0
    new = seen(Client(tmp_path / "new", tmp_path / "done" / "updates"))
    met = set()

    for at in range(100):
        dying = copied(office.home, tmp_path / str(at))
        client = Client(tmp_path / f"board-{at}", dying.updates)
        client.updater()
        try:
            change(dying, DyingDisk(at))
        except Died:
            state = seen(client)
            # between timestamp and root, boards accept the new timestamp by the root that they have
            assert state in (old, new, (new[0], old[1], new[2]))
            met.add(state)
            assert dying.does("refresh") == 0
            after = seen(client)
            assert after in ((*old[:2], old[2] + 1), (*new[:2], new[2] + 1))
            assert not list((dying.own / "staging").iterdir())
        else:
            break
    assert at > 10
    assert {old, new} <= met


def again(publisher: Publisher, disk: Disk | None) -> int:
    return publisher.does("publish", bundle(publisher.home), "--channel", "canary", "--again", disk=disk)


def counted(publisher: Publisher, disk: Disk | None) -> int:
    words = ("--channel", "canary", "--release-counter", "50")
    return publisher.does("publish", bundle(publisher.home), *words, disk=disk)


def promote(publisher: Publisher, disk: Disk | None) -> int:
    return publisher.does("promote", "visual-clean", "--from", "canary", "--to", "stable", disk=disk)


def withdraw(publisher: Publisher, disk: Disk | None) -> int:
    return publisher.does("revoke", "visual-clean", "--from", "canary", disk=disk)


REPEATED: dict[str, Change] = CHANGES | {
    "publish again": again,
    "publish under a counter": counted,
    "promote": promote,
    "withdraw": withdraw,
}


def until_decided(office: Publisher, change: Change, scratch: Path) -> Publisher:
    """An office where the command was interrupted as soon as its change was decided."""
    for at in range(100):
        dying = copied(office.home, scratch / str(at))
        with pytest.raises(Died):
            change(dying, DyingDisk(at))
        if (dying.own / "staging" / "staged.json").exists():
            return dying
    raise AssertionError("never decided")


@pytest.mark.parametrize("change", REPEATED.values(), ids=REPEATED)
def test_after_an_interruption_the_same_command_again_finishes_it_and_is_done(
    begun: Path, tmp_path: Path, change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    office = copied(begun, tmp_path / "office")
    office.does("publish", bundle(office.home), "--channel", "canary")
    office.does("key", office.home / "new.pem")
    dying = until_decided(office, change, tmp_path)
    decided = (dying.own / "staging" / "staged.json").read_text()
    capsys.readouterr()

    assert change(dying, None) == 0

    shown = capsys.readouterr()
    assert "That was what this command is to do. Copy" in shown.out
    assert f"ductwatch: finished a change of {dying.updates} that was interrupted: " in shown.err
    assert all((dying.updates / name).exists() for name in json.loads(decided)["files"])
    assert dying.does("show") == 0


def test_another_bundle_of_the_same_name_is_another_command(
    begun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = copied(begun, tmp_path / "office")
    dying = until_decided(office, publish, tmp_path)
    made = bundle(dying.home, 2)
    (made / "manifest.json").write_text((made / "manifest.json").read_text() + "\n")

    assert dying.does("publish", made, "--channel", "canary") == 2

    assert "boards that have it do not take" in capsys.readouterr().err


def test_a_damaged_note_of_what_was_decided_is_named(
    begun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dying = until_decided(copied(begun, tmp_path / "office"), publish, tmp_path)
    staged = dying.own / "staging" / "staged.json"
    staged.write_bytes(staged.read_bytes()[:20])

    assert dying.does("refresh") == 2
    assert f"{staged} is damaged. Remove it" in capsys.readouterr().err

    staged.unlink()
    assert dying.does("refresh") == 0


class FailingDisk(QuickDisk):
    """Says no from the rename number `at` on."""

    def __init__(self, at: int, number: int) -> None:
        self.left, self.number = at, number

    def rename(self, path: Path, to: Path) -> None:
        if self.left == 0:
            raise OSError(self.number, os.strerror(self.number), str(to))
        self.left -= 1
        super().rename(path, to)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "No space left on device. Make room on that disk"),
        (errno.EACCES, "Permission denied. Look whose it is, and who may write there"),
        (errno.EROFS, "Read-only file system. Mount that disk for writing"),
    ],
    ids=errno.errorcode.get,
)
def test_a_disk_that_says_no_is_told_by_what_is_done_about_it(
    publisher: Publisher, client: Client, number: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(publisher, FailingDisk(1, number)) == 2  # the bundle is kept, and nothing decided
    said = capsys.readouterr().err
    assert f"{says}, then give the command again" in said
    assert "decided" not in said
    assert client.offered(CANARY) is None

    assert publish(publisher, FailingDisk(3, number)) == 1
    said = capsys.readouterr().err
    assert f"{says}. The change is decided: giving the command again" in said

    assert publish(publisher, None) == 0
    assert client.offered(CANARY) == 2
