"""Secrets out of files, where nobody sits at a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.errors import ConfigError
from firmware.publisher.passphrases import Passphrases
from ota.publish.errors import Refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secret.txt"


def test_the_pin_of_a_security_module_may_come_from_a_file(file: Path) -> None:
    file.write_text("4711\nand a note\n")

    assert Passphrases([], file).pin("pin") == "4711"


def test_without_a_pin_and_without_a_terminal_the_option_is_named() -> None:
    with pytest.raises(Refused, match=r"asks for its PIN, and nobody can be asked here\..*--pin-file"):
        Passphrases([]).pin("pin")


def test_a_file_that_is_not_there_is_called_so(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"secret.txt: there is no such file. It must hold a passphrase"):
        Passphrases([file])
    with pytest.raises(ConfigError, match=r"secret.txt: there is no such file. It must hold the PIN"):
        Passphrases([], file)


def test_a_folder_is_no_file_for_a_passphrase(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        Passphrases([tmp_path])


@pytest.mark.parametrize(("content", "says"), [(b"", "first line is empty"), (b"\xff\xfe", "is no text")])
def test_a_file_without_a_first_line_of_text_is_refused(file: Path, content: bytes, says: str) -> None:
    file.write_bytes(content)

    with pytest.raises(ConfigError, match=says):
        Passphrases([file])
