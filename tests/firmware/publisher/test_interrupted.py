"""The machine dies at any write: clients see the old repository or the new one, and the next command goes on.

That what was written lasts through a power cut is `ota.storage`'s business, and shown there.
"""

from __future__ import annotations

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
