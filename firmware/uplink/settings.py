"""What the configuration may say about the broker. Pure: nothing is opened or looked up here."""

from __future__ import annotations

from pathlib import Path

import msgspec

from drivers.settings import Duration
from firmware.uplink.wire import check_prefix

PLAIN_PORT, TLS_PORT = 1883, 8883  # IANA: mqtt, secure-mqtt
MAX_WINDOW = 1000
CONNECT_LIMIT_S = 20.0  # name, TCP and TLS: paho gives each address 5 s
ANSWER_LIMIT_S = 20.0  # CONNACK, SUBACK, PUBACK: a satellite link takes 2 s, a broker that swaps some more


class UplinkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[uplink]`: which broker, who we are to it, and how hard we try. Without this table nothing is sent.

    `ca`, `certificate` and `key` (PEM files) each switch TLS on; `tls = true` alone trusts the system's authorities.
    The password is read from its file at every connection, so that it can be changed without a restart.
    """

    host: str = "localhost"
    port: int | None = None  # 1883, or 8883 with TLS
    prefix: str = "ductwatch"
    username: str | None = None
    password_file: Path | None = None
    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    keepalive: Duration = Duration(30.0)  # a dead link is noticed after at most twice this
    window: int = 16  # messages sent and not yet acknowledged; Mosquitto takes 20, the broker's own limit wins
    first_retry: Duration = Duration(1.0)
    longest_retry: Duration = Duration(60.0)  # a mended link is used within this, plus jitter
    discovery: bool = True  # announce the board to Home Assistant
    discovery_prefix: str = "homeassistant"
    max_messages: int = 100_000  # kept while the broker is away: a week of one reading every six seconds
    max_bytes: int = 32 * 1024 * 1024

    def __post_init__(self) -> None:
        if not self.host:
            raise ValueError('host is empty: write the broker\'s name or address, such as "broker.example.com"')
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ValueError(f"port {self.port} must be 1 to 65535")
        for prefix in (self.prefix, self.discovery_prefix):
            check_prefix(prefix)
        if self.certificate is None and self.key is not None:
            raise ValueError("key is given without certificate: give both, or neither")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file is given without username: add username")
        if not 5 <= self.keepalive <= 3600:
            raise ValueError("keepalive must be 5s to 1h")
        if not 1 <= self.window <= MAX_WINDOW:
            raise ValueError(f"window must be 1 to {MAX_WINDOW} messages")
        if not 0.01 <= self.first_retry <= self.longest_retry <= 3600:
            raise ValueError("first_retry must be 10ms up to longest_retry, and longest_retry at most 1h")
        if not 1000 <= self.max_messages <= 10_000_000:
            raise ValueError("max_messages must be 1000 to 10000000")
        if not 1024 * 1024 <= self.max_bytes <= 1024**3:
            raise ValueError("max_bytes must be 1 MiB to 1 GiB")

    @property
    def encrypted(self) -> bool:
        return self.tls or self.ca is not None or self.certificate is not None

    @property
    def broker_port(self) -> int:
        if self.port is not None:
            return self.port
        return TLS_PORT if self.encrypted else PLAIN_PORT

    @property
    def broker(self) -> str:
        """For people: `broker.example.com:8883`."""
        return f"{self.host}:{self.broker_port}"
