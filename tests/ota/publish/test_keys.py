"""What a security module or a cloud answers, in words. What SoftHSM2 answers is in docs/ota.md's own trial."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import CryptoSigner, HSMSigner, Key, Signature, SSlibKey
from tuf.api.metadata import Metadata, Targets

from ota.publish import keys
from ota.publish.errors import Refused
from ota.publish.keyring import Keyring
from ota.publish.signing import add_signature
from ota.publish.state import NAME_FIELD

PUBLIC = CryptoSigner.generate_ecdsa().public_key


class PinIncorrect(Exception):
    """As python-pkcs11 has it: without any text."""


class Module(HSMSigner):
    """Answers with an error."""

    def __init__(self, error: Exception) -> None:
        self._public_key: SSlibKey = PUBLIC
        self._error = error

    def sign(self, payload: bytes) -> Signature:  # noqa: ARG002 - so the library calls it
        raise self._error


class OneModule(Keyring):
    def __init__(self, error: Exception) -> None:
        super().__init__({}, None)  # type: ignore[arg-type]  # nobody is asked
        self._module = Module(error)

    def signer(self, key: Key) -> Module:  # noqa: ARG002 - there is one
        return self._module


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "library.so").touch()
    monkeypatch.setenv(keys.LIBRARY, str(tmp_path / "library.so"))


def refused(error: Exception) -> str:
    metadata = Metadata(Targets(expires=datetime(2026, 3, 1, tzinfo=UTC)))
    PUBLIC.unrecognized_fields[NAME_FIELD] = "hsm:2"
    with pytest.raises(Refused) as raised:
        add_signature(metadata, PUBLIC, OneModule(error))
    assert str(raised.value).startswith("hsm:2 (")
    return str(raised.value)


def test_a_wrong_pin_is_called_so() -> None:
    assert "): the PIN is wrong. Give the right one, by --pin-file or at the terminal" in refused(PinIncorrect())


def test_what_a_module_says_comes_with_what_its_keys_must_be() -> None:
    said = refused(ValueError("No PKCS#11 token found for label ductwatch"))

    assert "): No PKCS#11 token found for label ductwatch. Give hsm:ID?label=LABEL" in said
    assert "P-256 or P-384" in said


def test_an_error_without_a_text_is_told_by_its_name() -> None:
    assert "): RuntimeError. " in refused(RuntimeError())


@pytest.mark.parametrize(("path", "says"), [("", "is not set"), ("/nowhere.so", "names no file: /nowhere.so")])
def test_a_library_that_is_not_there_is_named(path: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.LIBRARY, path)

    assert f"the environment variable PYKCS11LIB {says}" in refused(ValueError("whatever"))


def test_missing_packages_are_named_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(keys.LIBRARY)

    assert "pip install 'securesystemslib[hsm]'" in refused(UnsupportedLibraryError("'python-pkcs11' required"))


def test_what_the_publisher_s_own_program_says_stays_as_it_is() -> None:
    ours = Refused("nobody can be asked here", remedy="Name a file")

    assert keys.refusal("hsm:2", "hsm", ours) is ours


@pytest.mark.parametrize("uri", ["hsm:9c", "hsm:-1", "hsm:slot"])
def test_an_id_that_is_no_number_is_explained(uri: str) -> None:
    with pytest.raises(Refused, match=r"is no ID of a key. Give hsm:ID.*as a decimal number"):
        keys.public(uri, None)  # type: ignore[arg-type]  # nobody is asked
