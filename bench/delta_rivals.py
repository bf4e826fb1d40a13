"""What makes a bundle out of another and a delta: ours, and what others use. As a program: what applying one takes.

`python -m bench.delta_rivals NAME BASE DELTA` applies in a process of its own and prints how many MB that took.
"""

from __future__ import annotations

import lzma
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from bench.process import PROC, memory

OURS, ZSTD, BSDIFF, XZ = "ductwatch", "zstd patch-from", "bsdiff4", "xz, whole"
LIMIT_BYTES: Final = 64_000_000
FORGET_PEAK: Final = "5"  # proc(5), clear_refs
BYTES_PER_MB: Final = 1_000_000


class Contestant(NamedTuple):
    """`make` takes base and target, `apply` base and delta."""

    make: Callable[[bytes, bytes], bytes]
    apply: Callable[[bytes, bytes], bytes]


def contestants() -> dict[str, Contestant]:
    """The first is ours, the last no delta at all."""
    import bsdiff4
    import zstandard

    from ota.delta.apply import apply
    from ota.delta.make import make

    def zstd_base(base: bytes) -> zstandard.ZstdCompressionDict:
        return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)

    def zstd_make(base: bytes, target: bytes) -> bytes:
        window = max(20, (len(base) + len(target)).bit_length())
        best = zstandard.ZstdCompressionParameters.from_level(22, window_log=window, enable_ldm=True)
        return zstandard.ZstdCompressor(dict_data=zstd_base(base), compression_params=best).compress(target)

    def zstd_apply(base: bytes, delta: bytes) -> bytes:
        return zstandard.ZstdDecompressor(dict_data=zstd_base(base)).decompress(delta)

    return {
        OURS: Contestant(make, lambda base, delta: apply(base, delta, limit_bytes=LIMIT_BYTES)),
        ZSTD: Contestant(zstd_make, zstd_apply),
        BSDIFF: Contestant(bsdiff4.diff, bsdiff4.patch),
        XZ: Contestant(
            lambda _, target: lzma.compress(target, preset=9 | lzma.PRESET_EXTREME),
            lambda _, delta: lzma.decompress(delta),
        ),
    }


def main(arguments: list[str]) -> None:
    name, base, delta = arguments
    apply = contestants()[name].apply
    old, new = Path(base).read_bytes(), Path(delta).read_bytes()
    pid = os.getpid()
    (PROC / "self" / "clear_refs").write_text(FORGET_PEAK)
    before = memory(pid).resident
    apply(old, new)
    print(memory(pid).peak - before)


if __name__ == "__main__":
    main(sys.argv[1:])
