"""Keys: files of their own (PKCS#8, encrypted), or where a security module or a cloud keeps them, named by a URI.

The library's signers read unencrypted files, only; hence files are opened here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import parse_qs, urlparse

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import (
    AWSSigner,
    AzureSigner,
    CryptoSigner,
    GCPSigner,
    HSMSigner,
    Key,
    Signer,
    SSlibKey,
)

from ota.errors import OtaError
from ota.publish.errors import Refused
from ota.publish.state import NAME_FIELD
from ota.storage import HALF, Disk

SCHEMES: Final = ("hsm", "awskms", "gcpkms", "azurekms")
MAX_KEY_BYTES: Final = 20_000  # an encrypted RSA key of 4096 bits has 3.5 kB
LIBRARY: Final = "PYKCS11LIB"
"""The environment variable by which securesystemslib finds the library of the security module."""
LEAST_PASSPHRASE: Final = 15  # characters; NIST SP 800-63B-4, 3.1.1.2: of a password that is the only factor

AGAIN_PIN: Final = "Give the right one, by --pin-file or at the terminal: a module locks itself after a few wrong ones"
REASONS: Final = {
    "PinIncorrect": ("the PIN is wrong", AGAIN_PIN),
    "PinInvalid": ("that cannot be its PIN", AGAIN_PIN),
    "PinLenRange": ("that PIN is too short or too long to be its", AGAIN_PIN),
    "PinLocked": ("its PIN is locked, after too many wrong ones", "Have its security officer set the PIN anew"),
    "PinExpired": ("its PIN has expired", "Set a new one"),
    "TokenNotPresent": ("the security module is gone", "Is it plugged in?"),
    "DeviceRemoved": ("the security module is gone", "Is it plugged in?"),
}
"""What python-pkcs11 raises without any text, in words: problem and remedy."""
REMEDIES: Final = {
    "hsm": "Give hsm:ID?label=LABEL: ID is the key's CKA_ID as a decimal number (2 if none is given), LABEL the "
    "token's; the key must be on the curve P-256 or P-384",
}

T = TypeVar("T")


class Secrets(Protocol):
    """Where passphrases come from."""

    def passphrases(self, what: str) -> Iterator[str]:
        """Candidates, one after the other, for `what`, a file's name; may ask a person."""

    def pin(self, what: str) -> str:
        """What the security module asks for."""


def refusal(what: str, scheme: str, error: BaseException) -> OtaError:
    """What a publisher does about `error`, with which the module or the cloud of `scheme` answered for `what`."""
    if isinstance(error, OtaError):
        return error
    if isinstance(error, UnsupportedLibraryError):
        remedy = f"pip install 'securesystemslib[{scheme}]'"
        return Refused(f"{what}: keys of {scheme} need more Python packages", remedy=remedy)
    library = os.environ.get(LIBRARY, "")
    if scheme == "hsm" and not Path(library or "/nowhere").is_file():
        return Refused(
            f"{what}: the environment variable {LIBRARY} {f'names no file: {library}' if library else 'is not set'}",
            remedy="It must be the whole path of the module's PKCS#11 library, such as that of libsofthsm2.so",
        )
    name = type(error).__name__
    problem, remedy = REASONS.get(
        name, (str(error) or name, REMEDIES.get(scheme, "Check the address, and whether you may use that key"))
    )
    return Refused(f"{what}: {problem}", remedy=remedy)


def is_uri(where: str) -> bool:
    return where.partition(":")[0] in SCHEMES


def named(key: Key, name: str) -> None:
    """The key with a name for people, unless it has one."""
    key.unrecognized_fields.setdefault(NAME_FIELD, name)


def name_of(where: str) -> str:
    """What a keyholder calls the key: its file's name, or its URI."""
    return where if is_uri(where) else Path(where).stem


def check_passphrase(passphrase: str) -> None:
    """Raises `Refused` if it is too short to be the only lock of a key."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise Refused(
            f"the passphrase has fewer than {LEAST_PASSPHRASE} characters",
            remedy="Take some words that do not belong together",
        )


def make(path: Path, passphrase: str) -> SSlibKey:
    """A new ed25519 key in a file of its own, mode 0600. Raises `Refused`, and never overwrites anything."""
    check_passphrase(passphrase)
    signer = CryptoSigner.generate_ed25519()
    private = load_pem_private_key(signer.private_bytes, None)
    content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    if path.exists():
        raise Refused(f"{path} is there already", remedy="Choose another name: keys are never overwritten")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = path.with_name(path.name + HALF)
        half.unlink(missing_ok=True)
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
        Disk().sync(path.parent)
    except OSError as error:
        raise Refused(f"{path}: cannot be written ({error.strerror})", remedy="Choose another place") from error
    return signer.public_key


def public_pem(key: SSlibKey) -> bytes:
    """What may be given to anybody."""
    if key.keytype != "ed25519":
        return str(key.keyval["public"]).encode()
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"]))
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def is_private(path: Path) -> bool:
    return b"PRIVATE KEY-----" in _content(path)


def public(where: str, secrets: Secrets) -> tuple[str, SSlibKey]:
    """Where its private half is, in full, and the public half. Raises `Refused`.

    `where` is a private or a public key file, or a URI of `SCHEMES`. Of a public key file nothing can be signed: "".
    """
    if is_uri(where):
        return _imported(where, secrets)
    path = Path(where)
    if is_private(path):
        return str(path.resolve()), SSlibKey.from_crypto(_private(path, secrets).public_key())
    try:
        return "", SSlibKey.from_crypto(load_pem_public_key(_content(path)))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(f"{path} is no key ({error})", remedy="It must be a PEM file") from error


def signer(where: str, key: Key, secrets: Secrets) -> Signer:
    """What signs with the private half of `key`. Raises `Refused`."""
    if is_uri(where):
        return _from_library(where, lambda: Signer.from_priv_key_uri(where, key, secrets.pin))
    private = _private(Path(where), secrets)
    public_half = SSlibKey.from_crypto(private.public_key())
    if public_half.keyid != key.keyid or not isinstance(key, SSlibKey):
        raise Refused(f"{where} is another key than {key.keyid[:8]}", remedy="Name the right file by --key")
    return CryptoSigner(private, key)


def _private(path: Path, secrets: Secrets) -> Any:
    content = _content(path)
    if b"ENCRYPTED PRIVATE KEY-----" not in content:
        raise Refused(
            f"{path} is no encrypted private key",
            remedy=f"Keys are PEM files of PKCS#8 with a passphrase: openssl pkcs8 -topk8 -in {path} -out NEW.pem",
        )
    tried = 0
    for passphrase in secrets.passphrases(path.name):
        tried += 1
        try:
            return load_pem_private_key(content, passphrase.encode())
        except (ValueError, UnsupportedAlgorithm):  # which of both it is, it does not tell
            continue
    raise Refused(
        f"{path}: {'none of the passphrases opens it' if tried else 'there is no passphrase for it'}",
        remedy="Give the right one at the terminal, by --passphrase-file, or in DUCTWATCH_OTA_PASSPHRASE",
    )


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror})", remedy="Is its stick plugged in?") from error
    if len(content) > MAX_KEY_BYTES:
        raise Refused(f"{path} is too large for a key", remedy="Name the key's own file")
    return content


def _imported(uri: str, secrets: Secrets) -> tuple[str, SSlibKey]:
    scheme, _, rest = uri.partition(":")
    asked: dict[str, Callable[[], tuple[str, SSlibKey]]] = {
        "hsm": lambda: HSMSigner.import_(*_of_token(uri), secrets.pin),
        "awskms": lambda: AWSSigner.import_(rest),
        "gcpkms": lambda: GCPSigner.import_(rest),
        "azurekms": lambda: AzureSigner.import_(*_of_vault(uri)),
    }
    return _from_library(uri, asked[scheme])


def _of_token(uri: str) -> tuple[int | None, str | None]:
    """hsm:[ID][?label=LABEL]"""
    parsed = urlparse(uri)
    if parsed.path and not parsed.path.isdecimal():
        raise Refused(f"{uri}: {parsed.path!r} is no ID of a key", remedy=REMEDIES["hsm"])
    return int(parsed.path) if parsed.path else None, parse_qs(parsed.query).get("label", [None])[0]


def _of_vault(uri: str) -> tuple[str, str]:
    """azurekms://VAULT.vault.azure.net/keys/NAME[/VERSION]"""
    parsed = urlparse(uri)
    return parsed.netloc.partition(".")[0], parsed.path.removeprefix("/keys/").partition("/")[0]


def _from_library(uri: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except Exception as error:  # clouds and modules raise classes of their own
        raise refusal(uri, uri.partition(":")[0], error) from error
