"""The board's journal as it is written, over ssh, through any number of the board's lives."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

MOST_LINES = 3000
MOST_TEXT = 1000
CHUNK_BYTES = 1 << 16
MOST_LINE_BYTES = 1 << 20  # of one entry; journald cuts at 48 KiB
AGAIN_S = 1.0  # between two attempts
FOLLOW = "journalctl -b -f -n 2000 -o json --output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER"
LEVELS = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
NOT_TOLD = {"event", "level", "timestamp"}


@dataclass(frozen=True, slots=True)
class Entry:
    """`at_s` since the kernel's start; `priority` as in syslog, 0 to 7."""

    boot: str
    at_s: float
    who: str
    priority: int
    text: str


def entry(line: bytes) -> Entry | None:
    """A line of `journalctl -o json`; None if it is none."""
    try:
        fields = json.loads(line)
        at_s = int(fields["__MONOTONIC_TIMESTAMP"]) / 1e6
        priority = int(fields.get("PRIORITY", 6))
    except (ValueError, KeyError, TypeError):
        return None
    message = fields.get("MESSAGE")
    text = bytes(message).decode(errors="replace") if isinstance(message, list) else str(message)
    who = str(fields.get("SYSLOG_IDENTIFIER", "?"))
    if who == "ductwatch":
        text, priority = _readable(text, priority)
    return Entry(str(fields.get("_BOOT_ID", "")), at_s, who, priority, text[:MOST_TEXT])


def _readable(text: str, priority: int) -> tuple[str, int]:
    """The firmware's own log: an event, then its fields."""
    try:
        fields = json.loads(text)
        words = [str(fields["event"]), *(f"{key}={_value(it)}" for key, it in fields.items() if key not in NOT_TOLD)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return text, priority
    return "  ".join(words), LEVELS.get(str(fields.get("level")), priority)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) and " " in value else str(value)


def ssh(address: str, port: int, key: Path) -> list[str]:
    """The command that follows the journal of the board there."""
    options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
    limits = ("ConnectTimeout=20", "ServerAliveInterval=5", "ServerAliveCountMax=2")
    words = [word for option in (*options, *limits) for word in ("-o", option)]
    return ["ssh", *words, "-i", str(key), "-p", str(port), f"root@{address}", FOLLOW]


class Journal:
    """`follow` a little at a time; `since` has what came. `may_connect` tells whether it is worth trying."""

    def __init__(self, command: Sequence[str], may_connect: Callable[[], bool]) -> None:
        self._command = command
        self._may_connect = may_connect
        self._lines: deque[tuple[int, Entry]] = deque(maxlen=MOST_LINES)
        self._count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._again_s = 0.0
        self.connected = False
        """Whether this life of the board has been read from."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.hang_up()

    def follow(self, limit_s: float) -> None:
        """Take in what comes, for at most about this long."""
        if not self._may_connect():
            self.hang_up()
        elif self._process is None and time.monotonic() >= self._again_s:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        streams = [self._process.stdout] if self._process is not None and self._process.stdout is not None else []
        readable, _, _ = select.select(streams, [], [], limit_s)
        for stream in readable:
            data = os.read(stream.fileno(), CHUNK_BYTES)
            if data:
                self._take(data)
            else:
                self.hang_up()

    def hang_up(self) -> None:
        """The board is gone, or nobody reads on."""
        self.connected = False
        self._rest = b""
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None
        self._again_s = time.monotonic() + AGAIN_S

    def since(self, number: int) -> list[dict[str, Any]]:
        """The lines whose number is above this one, for the page."""
        return [
            {"number": count, "at_s": it.at_s, "who": it.who, "priority": it.priority, "text": it.text}
            for count, it in list(self._lines)
            if count > number
        ]

    def _take(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-MOST_LINE_BYTES:]
        for line in lines:
            found = entry(line)
            if found is not None:
                self.connected = True
                self._note(found)

    def _note(self, found: Entry) -> None:
        """A connection anew brings lines again."""
        if self._lines:
            last = self._lines[-1][1]
            if found.boot == last.boot and (found.at_s < last.at_s or found == last):
                return
        self._count += 1
        self._lines.append((self._count, found))
