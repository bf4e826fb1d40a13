from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ota.errors import Unreachable
from ota.folder import Folder

pytestmark = pytest.mark.real

NAME = "targets/stable/1.tar"
CONTENT = b"0123456789"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


def opened(folder: Folder, first: int = 0) -> bytes:
    with folder.open(NAME, first, len(CONTENT), lambda: 1.0) as answer:
        assert answer.first == first
        return answer.read(100)


def test_a_small_file_is_read_whole_or_to_one_byte_more_than_the_limit(tmp_path: Path, path: Path) -> None:
    assert Folder(tmp_path).read(NAME, 100) == CONTENT
    assert Folder(tmp_path).read(NAME, 3) == b"0123"


def test_a_large_file_is_read_from_any_byte_on(tmp_path: Path, path: Path) -> None:
    assert opened(Folder(tmp_path)) == CONTENT
    assert opened(Folder(tmp_path), 7) == b"789"


def test_a_file_that_is_not_there_is_none_or_unreachable(tmp_path: Path) -> None:
    assert Folder(tmp_path).read(NAME, 100) is None
    with pytest.raises(Unreachable, match="No such file"):
        opened(Folder(tmp_path))


def test_a_file_of_another_length_is_not_read(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"short")

    with pytest.raises(Unreachable, match="is no file of 10 bytes"):
        opened(Folder(tmp_path))


@pytest.mark.parametrize(
    "odd", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "folder", "device"]
)
def test_what_is_no_plain_file_is_not_read(tmp_path: Path, path: Path, odd: Callable[[Path], None]) -> None:
    path.unlink()
    odd(path)

    with pytest.raises(Unreachable, match=r"1\.tar: (not a plain file|.*directory)"):
        Folder(tmp_path).read(NAME, 100)
    with pytest.raises(Unreachable, match=r"1\.tar: (not a plain file|.*directory)"):
        opened(Folder(tmp_path))
