"""Speaks to systemd: ready, watchdog, reloading, stopping (sd_notify(3)). Silent where systemd did not start us."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notify:
    """The datagram socket that systemd gave us in NOTIFY_SOCKET, if it did."""

    def __init__(self, address: str | None, watchdog_s: float | None) -> None:
        self.watchdog_s = watchdog_s
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Notify:
        """Watchdog interval by WATCHDOG_USEC, valid only for our own process (sd_watchdog_enabled(3))."""
        meant_for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        interval_us = environment.get("WATCHDOG_USEC", "") if meant_for_us else ""
        return cls(environment.get("NOTIFY_SOCKET"), int(interval_us) / 1e6 if interval_us.isdecimal() else None)

    def ready(self) -> None:
        self._send("READY=1")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagram:
                datagram.setblocking(False)
                datagram.sendto(message.encode(), self._address)
        except OSError:
            return  # systemd is restarting or gone: its next watchdog period decides, not we
