from __future__ import annotations

from pathlib import Path

import pytest

from tests.drivers.iio.board import Board


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """With a sensor that none of the tests means."""
    board = Board(tmp_path)
    board.plug(0, "bmp280", "1-0076")
    return board
