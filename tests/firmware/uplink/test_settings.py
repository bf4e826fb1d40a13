"""`[uplink]`: what is refused before anything is opened, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.settings import from_table
from firmware.uplink.settings import UplinkSettings


@pytest.mark.parametrize(
    ("table", "port"),
    [
        ({}, 1883),
        ({"tls": True}, 8883),
        ({"ca": "/etc/ductwatch/ca.pem"}, 8883),
        ({"certificate": "/etc/ductwatch/board.pem"}, 8883),
        ({"tls": True, "port": 443}, 443),
    ],
)
def test_the_port_follows_from_whether_tls_is_spoken(table: dict[str, Any], port: int) -> None:
    assert from_table(table, UplinkSettings).broker_port == port


def test_files_and_durations_are_read_with_their_types() -> None:
    settings = from_table({"ca": "/ca.pem", "longest_retry": "5min", "host": "mqtt.example.com"}, UplinkSettings)

    assert (settings.ca, settings.longest_retry, settings.broker) == (Path("/ca.pem"), 300.0, "mqtt.example.com:8883")


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"host": ""}, "host is empty"),
        ({"port": 0}, "port 0 must be 1 to 65535"),
        ({"prefix": "a/#"}, "topic prefix"),
        ({"discovery_prefix": "+"}, "topic prefix"),
        ({"key": "/key.pem"}, "key is given without certificate"),
        ({"password_file": "/secret"}, "password_file is given without username"),
        ({"keepalive": "1s"}, "keepalive must be 5s to 1h"),
        ({"keepalive": 30}, "not a duration"),
        ({"window": 0}, "window must be"),
        ({"first_retry": "2min"}, "first_retry must be"),
        ({"max_messages": 10}, "max_messages must be"),
        ({"max_bytes": 10}, "max_bytes must be"),
        ({"hostname": "x"}, "unknown field"),
        ({"password": "secret"}, "unknown field"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused(table: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        from_table(table, UplinkSettings)
