"""Is a line an OpenSSH public key, whole and of the type it says? Pure: no cryptography is done."""

from __future__ import annotations

import binascii
from collections.abc import Iterator

MAX_CHARACTERS = 8192  # an RSA key of 16384 bits has 2,800
LENGTH_BYTES = 4  # RFC 4251, section 5: a string is its length, then its bytes

FIELDS = {
    "ssh-ed25519": 2,
    "ssh-rsa": 3,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
}
"""Types that OpenSSH 9 accepts, with the number of strings in their key, its type included (RFC 4253, 5656, 8709)."""


def check_public_key(line: str) -> None:
    """Raise ValueError, which never quotes the line: a private key may have been pasted."""
    if "PRIVATE KEY" in line:
        raise ValueError("this is a private key, which is to stay where it is: write the line of its .pub file")
    kind, _, rest = line.partition(" ")
    if not line.isprintable() or len(line) > MAX_CHARACTERS or kind not in FIELDS:
        raise ValueError(f"not a public key on one line: write TYPE KEY COMMENT, TYPE one of {', '.join(FIELDS)}")
    try:
        fields = list(_fields(binascii.a2b_base64(rest.split(" ")[0], strict_mode=True)))
    except ValueError:
        raise ValueError(f"the {kind} key is damaged: copy the whole line of its .pub file") from None
    if fields[:1] != [kind.encode()] or len(fields) != FIELDS[kind]:
        raise ValueError(f"the {kind} key is of another type, or damaged: copy the whole line of its .pub file")


def _fields(blob: bytes) -> Iterator[bytes]:
    while blob:
        end = LENGTH_BYTES + int.from_bytes(blob[:LENGTH_BYTES], "big")
        if not LENGTH_BYTES < end <= len(blob):
            raise ValueError
        yield blob[LENGTH_BYTES:end]
        blob = blob[end:]
