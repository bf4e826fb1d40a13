"""What the tests' own broker rests on."""

from __future__ import annotations

import socket

import pytest

from tests.mosquitto import free_port

MANY = 100


@pytest.mark.real
def test_nobody_who_asks_for_any_port_gets_a_free_one() -> None:
    free = {free_port() for _ in range(MANY)}

    taken = set()
    for _ in range(MANY):
        with socket.create_server(("127.0.0.1", 0)) as anybody:
            taken.add(anybody.getsockname()[1])

    assert max(free) < min(taken)
