"""Words of the command line that more than one command takes."""

from __future__ import annotations

import argparse


def broker(text: str) -> tuple[str, int | None]:
    """HOST or HOST:PORT."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, None
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r}: write HOST or HOST:PORT")
    return host, int(port)
