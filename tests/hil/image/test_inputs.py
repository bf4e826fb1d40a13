"""An image is built again when what it is made of has changed, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.image.boards import BOARDS
from hil.image.inputs import digest, files_below, image_key

pytestmark = pytest.mark.real


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware/app.py").write_text("run()\n")
    (tmp_path / "README.md").write_text("# duct\n")
    return tmp_path


def key(source: Path) -> str:
    return digest(source, files_below(source, ("firmware", "README.md")))


def test_the_same_source_elsewhere_has_the_same_key(source: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = key(source)
    moved = source.replace(tmp_path_factory.mktemp("elsewhere") / "source")

    assert key(moved) == before


def test_what_python_leaves_behind_changes_nothing(source: Path) -> None:
    before = key(source)
    (source / "firmware/__pycache__").mkdir()
    (source / "firmware/__pycache__/app.cpython-311.pyc").write_bytes(b"\0")

    assert key(source) == before


def test_every_change_counts(source: Path) -> None:
    keys = {key(source)}
    (source / "firmware/app.py").chmod(0o755)
    keys.add(key(source))
    (source / "firmware/app.py").write_text("run(1)\n")
    keys.add(key(source))
    (source / "firmware/app.py").rename(source / "firmware/main.py")
    keys.add(key(source))
    (source / "firmware/empty.py").touch()
    keys.add(key(source))

    assert len(keys) == 5


def test_where_a_file_ends_counts(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"ab")
    two.write_bytes(b"c")
    before = digest(tmp_path, [one, two])
    one.write_bytes(b"a")
    two.write_bytes(b"bc")

    assert digest(tmp_path, [one, two]) != before


def test_each_board_has_its_own() -> None:
    assert len({image_key(board) for board in BOARDS.values()}) == len(BOARDS)
