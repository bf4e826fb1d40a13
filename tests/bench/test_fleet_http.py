from __future__ import annotations

from pathlib import Path

import pytest

from bench.fleet_http import Visit, head
from bench.fleet_servers import web_server


def test_a_head_tells_status_and_length() -> None:
    assert head(b"HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n") == (404, 10)


def test_a_head_without_a_length_has_no_body() -> None:
    assert head(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n") == (200, 0)


def test_what_is_no_head_is_refused() -> None:
    with pytest.raises(ValueError, match="'OK'"):
        head(b"HTTP/1.1 OK\r\n\r\n")


@pytest.mark.real
async def test_a_visit_gets_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "timestamp.json").write_bytes(b"x" * 5_000)

    async with web_server(tmp_path) as (_, port), Visit(port) as visit:
        there = await visit.get("/metadata/timestamp.json")
        missing = await visit.get("/metadata/2.root.json")
        outside = await visit.get("/metadata/%2e%2e/%2e%2e/etc/hostname")

    assert (there.status, there.body) == (200, b"x" * 5_000)
    assert (missing.status, outside.status) == (404, 404)
    assert visit.carried.data_bytes > 5_000
    assert (
        visit.carried.wire_bytes >= visit.carried.data_bytes + 52 * 8
    )  # 3 to open, 4 to close, and what goes both ways
