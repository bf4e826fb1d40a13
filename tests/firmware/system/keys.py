"""Public keys for tests, in the form that OpenSSH writes; nobody has their other half."""

from __future__ import annotations

import base64


def public_key(kind: str = "ssh-ed25519", *rest: bytes, comment: str = " me@pc") -> str:
    """A line of a .pub file: `rest` are the strings after the type, for ed25519 its 32 bytes."""
    strings = [kind.encode(), *(rest or (bytes(range(32)),))]
    blob = b"".join(len(string).to_bytes(4, "big") + string for string in strings)
    return f"{kind} {base64.b64encode(blob).decode()}{comment}"
