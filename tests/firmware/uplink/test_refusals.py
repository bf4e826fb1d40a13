"""Why a broker cannot be used: each cause has its own words, and a remedy."""

from __future__ import annotations

import socket

import pytest

from firmware.uplink.refusals import refused, unreachable

BROKER = "mqtt.example.com:1883"


@pytest.mark.parametrize(
    ("code", "problem", "remedy"),
    [
        (0x86, "refuses user name or password", "uplink.password_file"),
        (0x87, "does not authorise this board", "access list"),
        (0x8E, "serves another board of the same name", "board.name"),
        (0x9C, "refuses: Use another server (0x9c)", "broker's own log"),
    ],
)
def test_a_reason_of_the_broker_is_told_with_its_remedy(code: int, problem: str, remedy: str) -> None:
    error = refused(BROKER, code, "Use another server")

    assert error.problem == f"the broker at {BROKER} {problem}"
    assert remedy in error.remedy


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (socket.gaierror(-2, "Name or service not known"), f"the name in {BROKER} is unknown"),
        (UnicodeError("label empty or too long"), f"the name in {BROKER} is unknown"),
        (ConnectionRefusedError(111, "Connection refused"), f"nothing listens at {BROKER}"),
        (TimeoutError("timed out"), f"no answer from {BROKER}"),
        (OSError(101, "Network is unreachable"), f"no way to {BROKER}: Network is unreachable"),
    ],
)
def test_a_network_that_does_not_work_is_told_from_a_broker_that_does_not(
    error: OSError | UnicodeError, problem: str
) -> None:
    assert unreachable(BROKER, error, ca="").problem == problem
