"""Passphrases of a publisher's keys: from files, from the environment, or asked for at the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from firmware.errors import ConfigError
from ota.publish.errors import Refused

PASSPHRASE, ONLINE_PASSPHRASE = "DUCTWATCH_OTA_PASSPHRASE", "DUCTWATCH_OTA_ONLINE_PASSPHRASE"
MAX_BYTES = 10_000
ASKED_AT_MOST = 3  # for one key


class Passphrases:
    """What is given serves for every key; what somebody types serves for the next keys, too."""

    def __init__(self, files: Sequence[Path], pin_file: Path | None = None) -> None:
        """Raises `ConfigError` for a file that cannot be read."""
        self._pin = _first_line(pin_file, "the PIN of a security module") if pin_file else ""
        named = (os.environ.get(name, "") for name in (PASSPHRASE, ONLINE_PASSPHRASE))
        self._known = [each for each in (*map(_first_line, files), *named) if each]

    def passphrases(self, what: str) -> Iterator[str]:
        """Candidates for the key file `what`."""
        yield from tuple(self._known)
        if is_terminal():
            for number in range(ASKED_AT_MOST):
                wrong = "That was wrong. " if number else ""
                self._known.append(getpass.getpass(f"{wrong}Passphrase of {what}: "))
                yield self._known[-1]

    def pin(self, what: str) -> str:
        """Of a security module. Raises `Refused` where there is no file for it, and nobody to be asked."""
        if self._pin:
            return self._pin
        if not is_terminal():
            raise Refused(
                f"the security module asks for its {what.upper()}, and nobody can be asked here",
                remedy="Put it into a file, and name that by --pin-file",
            )
        return getpass.getpass(f"{what.upper()} of the security module: ")

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


def _first_line(path: Path, what: str = "a passphrase") -> str:
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(MAX_BYTES).rstrip("\r\n")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file. It must hold {what} in its first line") from error
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}). Look whose it is, and who may read it"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text. It must hold {what} in its first line") from error
    if not line:
        raise ConfigError(f"{path}: its first line is empty. It must hold {what}")
    return line
