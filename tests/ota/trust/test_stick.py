"""What a stick that somebody plugs in may hold instead of files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ota.errors import OtaError, Unreachable
from tests.ota.board import Board
from tests.ota.repository import SimulatedRepository

pytestmark = pytest.mark.real


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    os.truncate(path, 1 << 40)


def page(path: Path) -> None:
    path.write_text("<html>log in</html>")


def nested(path: Path) -> None:
    path.write_text("[" * 3000)


def list_of_nothing(path: Path) -> None:
    path.write_text("[]")


def field_of_another_kind(path: Path) -> None:
    document = json.loads(path.read_bytes())
    document["signed"]["version"] = [1.5]
    path.write_text(json.dumps(document))


ODD = [pipe, device, huge, page, nested, list_of_nothing, field_of_another_kind]


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "stable"])
@pytest.mark.parametrize("make_odd", ODD)
def test_odd_files_end_in_words(
    board: Board, repository: SimulatedRepository, role: str, make_odd: Callable[[Path], None]
) -> None:
    repository.publish("root")
    repository.offer(2)
    signed = {"root": repository.root, "timestamp": repository.timestamp, "snapshot": repository.snapshot}
    make_odd(repository.path(role, (signed.get(role) or repository.targets[role]).version))

    with pytest.raises(OtaError) as raised:
        board.ask(repository.folder)
    assert raised.value.problem
    assert raised.value.remedy


@pytest.mark.parametrize("make_odd", [pipe, device])
def test_what_is_no_plain_file_is_not_read(
    board: Board, repository: SimulatedRepository, make_odd: Callable[[Path], None]
) -> None:
    make_odd(repository.path("timestamp", 0))

    with pytest.raises(Unreachable, match="not a plain file"):
        board.ask(repository.folder)
