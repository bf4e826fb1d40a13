from __future__ import annotations

from pathlib import Path

import pytest

from tests.ota.board import Board
from tests.ota.repository import SimulatedRepository


@pytest.fixture
def repository(tmp_path: Path) -> SimulatedRepository:
    made = SimulatedRepository(tmp_path / "repository")
    made.offer(1)
    return made


@pytest.fixture
def board(tmp_path: Path, repository: SimulatedRepository) -> Board:
    """It has seen the repository once."""
    made = Board(tmp_path / "board", repository.first_root)
    assert made.counter(repository.folder) == 1
    return made
