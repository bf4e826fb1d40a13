"""A kernel is unpacked as its header says, and taken as it is where it is of another kind."""

from __future__ import annotations

import lzma
import struct
from pathlib import Path

import pytest

from hil.kernel import unpacked

PLAIN = b"\x7fELF" + b"kernel" * 1000


def image(payload: bytes, sectors: int = 3, offset: int = 100) -> bytes:
    """A bzImage with this payload, and something after it."""
    setup = bytearray((sectors + 1) * 512)
    setup[0x1F1] = sectors
    struct.pack_into("<II", setup, 0x248, offset, len(payload))
    return bytes(setup) + bytes(offset) + payload + b"more"


def test_an_xz_kernel_is_unpacked(tmp_path: Path) -> None:
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(image(lzma.compress(PLAIN, lzma.FORMAT_XZ)))

    plain = unpacked(kernel, tmp_path)

    assert plain != kernel
    assert plain.read_bytes() == PLAIN


@pytest.mark.parametrize(
    "content",
    [b"", image(b"\x28\xb5\x2f\xfd zstd"), image(lzma.compress(b"no kernel", lzma.FORMAT_XZ))],
    ids=["empty", "zstd", "no ELF"],
)
def test_another_kernel_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(content)

    assert unpacked(kernel, tmp_path) == kernel
