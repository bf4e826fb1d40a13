from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.notify import Notify

pytestmark = pytest.mark.real


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "notify"))
        server.settimeout(10)
        yield server


def test_systemd_hears_ready_alive_and_stopping(systemd: socket.socket) -> None:
    notify = Notify(systemd.getsockname(), None)

    notify.ready()
    notify.alive()
    notify.stopping()

    assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_without_systemd_nothing_is_said_and_nothing_fails() -> None:
    Notify(None, None).ready()


def test_a_systemd_that_went_away_is_no_reason_to_stop_watching(tmp_path: Path) -> None:
    Notify(str(tmp_path / "gone"), None).alive()


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
    ids=["for anyone", "for us", "for another process", "not a number", "none"],
)
def test_the_watchdog_interval_comes_from_systemd(environment: dict[str, str], watchdog_s: float | None) -> None:
    assert Notify.from_environment(environment).watchdog_s == watchdog_s
