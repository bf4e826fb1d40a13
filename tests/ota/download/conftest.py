from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ota.download.board import CONTENT, STORED, Board
from tests.ota.web_server import (
    WebServer,
    web_server,
)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as server:
        server.files[f"/{STORED}"] = CONTENT
        yield server


@pytest.fixture
def board(tmp_path: Path, server: WebServer) -> Board:
    return Board(tmp_path, server)
