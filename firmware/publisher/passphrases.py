"""Passphrases of a publisher's keys: from files, from the environment, or asked for at the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from firmware.errors import ConfigError

PASSPHRASE, ONLINE_PASSPHRASE = "DUCTWATCH_OTA_PASSPHRASE", "DUCTWATCH_OTA_ONLINE_PASSPHRASE"
MAX_BYTES = 10_000
ASKED_AT_MOST = 3  # for one key


class Passphrases:
    """What is given serves for every key; what somebody types serves for the next keys, too."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Raises `ConfigError` for a file that cannot be read."""
        named = (os.environ.get(name, "") for name in (PASSPHRASE, ONLINE_PASSPHRASE))
        self._known = [each for each in (*map(_first_line, files), *named) if each]

    def passphrases(self, what: str) -> Iterator[str]:
        """Candidates for the key file `what`."""
        yield from tuple(self._known)
        if is_terminal():
            for _ in range(ASKED_AT_MOST):
                self._known.append(getpass.getpass(f"Passphrase of {what}: "))
                yield self._known[-1]

    def pin(self, what: str) -> str:
        """Of a security module. Raises `ConfigError` without a terminal."""
        if not is_terminal():
            raise ConfigError(f"the security module asks for a {what}. Run this at a terminal")
        return getpass.getpass(f"{what}: ")

    def new(self, of: str, file: Path | None, variable: str) -> str:
        """A passphrase for keys that are to be made: given, or typed twice. Raises `ConfigError`."""
        given = _first_line(file) if file else os.environ.get(variable, "")
        if not given:
            given = self._typed_twice(of, variable)
        self._known.append(given)
        return given

    def _typed_twice(self, of: str, variable: str) -> str:
        if not is_terminal():
            raise ConfigError(f"{of} need a passphrase. Put it into a file and name that, or into {variable}")
        typed = getpass.getpass(f"New passphrase for {of}: ")
        if getpass.getpass("Once more: ") != typed:
            raise ConfigError("the two passphrases differ. Nothing was made: begin again")
        return typed


def is_terminal() -> bool:
    """Whether somebody sits there who can answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(MAX_BYTES).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}). It must hold a passphrase in its first line") from error
    if not line:
        raise ConfigError(f"{path} is empty. It must hold a passphrase in its first line")
    return line
