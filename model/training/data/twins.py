"""Twins: pictures that show the same thing, found by perceptual hashes, and the groups that they form.

Twins must never fall on both sides of a split. Pure: arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Prints = npt.NDArray[np.uint64]  # (n, 4): pHash and dHash of the picture, then both of the mirrored picture
Mask = npt.NDArray[np.bool_]
Pairs = npt.NDArray[np.intp]  # (m, 2): places of two pictures, the smaller first

PHASH_LIMIT_BITS, DHASH_LIMIT_BITS = 10, 14
"""Of 64 bits, both at most: the clusters that the data sets were split by (design notes, "Data") are made with these.

One hash alone takes smooth pictures of unlike things for twins, and both do so now and then: enough for a split, where
one group too many costs nothing."""
SAME_PHASH_LIMIT_BITS, SAME_DHASH_LIMIT_BITS = 4, 10
"""As near as only the same picture is, saved anew or shot again: those sets were rid of duplicates with these.

On 940 photos of smooth metal with right labels, 718 pairs of twins are labelled differently, and 14 of these."""
DCT_SIDE, LOW = 32, 8  # pHash looks at the 8 x 8 lowest frequencies of 32 x 32 pixels
DHASH_WIDTH, DHASH_HEIGHT = 9, 8  # 8 x 8 steps from a pixel to its neighbour
BLOCK_CELLS = 2_500_000  # pairs compared at a time: 20 MB of 64-bit hashes


def fingerprint(square: npt.NDArray[np.uint8], steps: npt.NDArray[np.uint8]) -> Prints:
    """The hashes (4,) of one picture, from its brightness at (32, 32) and at (8, 9) pixels."""
    return np.array([phash(square), dhash(steps), phash(square[:, ::-1]), dhash(steps[:, ::-1])], np.uint64)


def phash(square: npt.NDArray[np.uint8]) -> np.uint64:
    """Which low frequencies of the cosine transform are above their median (N. Krawetz, "Looks Like It", 2011)."""
    spectrum = _COSINES @ square.astype(np.float64) @ _COSINES.T
    return _packed(spectrum > np.median(spectrum))


def dhash(steps: npt.NDArray[np.uint8]) -> np.uint64:
    """Where it gets brighter from left to right (N. Krawetz, "Kind of Like That", 2013)."""
    return _packed(steps[:, 1:] > steps[:, :-1])


def twin_pairs(prints: Prints) -> Iterator[tuple[Pairs, Mask]]:
    """All pairs of near twins, mirrored ones too, in blocks; and which (m,) of them are the same picture.

    Each picture is compared with each, so time grows with n²: 10,000 pictures take 0.3 s on one core (3 s if all are
    twins), 100,000 half a minute. Memory does not grow.
    """
    step = max(1, BLOCK_CELLS // max(1, len(prints)))
    for start in range(0, len(prints), step):
        block, others = prints[start : start + step], prints[start:]
        plain, mirrored = _bits(block[:, 0], others[:, 0]), _bits(block[:, 2], others[:, 0])
        rows, columns = np.nonzero(np.triu(np.minimum(plain, mirrored) <= PHASH_LIMIT_BITS, k=1))
        near, same = np.zeros((2, len(rows)), bool)
        for phash_bits, print_ in ((plain, 1), (mirrored, 3)):
            p = phash_bits[rows, columns]
            d = np.bitwise_count(block[rows, print_] ^ others[columns, 1])
            near |= (p <= PHASH_LIMIT_BITS) & (d <= DHASH_LIMIT_BITS)
            same |= (p <= SAME_PHASH_LIMIT_BITS) & (d <= SAME_DHASH_LIMIT_BITS)
        yield np.stack([rows[near], columns[near]], axis=1) + start, same[near]


def groups(prints: Prints) -> npt.NDArray[np.intp]:
    """A number (n,) for each picture, equal for twins and for twins of twins: what a split must not part.

    The number is the place of the group's first picture.
    """
    return groups_and_copies(prints)[0]


def groups_and_copies(prints: Prints) -> tuple[npt.NDArray[np.intp], Pairs]:
    """The same, and the pairs (m, 2) that are the same picture."""
    group, copies = np.arange(len(prints)), [np.zeros((0, 2), np.intp)]
    for pairs, same in twin_pairs(prints):
        join(group, pairs)
        copies.append(pairs[same])
    return group, np.concatenate(copies)


def join(group: npt.NDArray[np.intp], pairs: Pairs) -> None:
    """Unite the groups of each pair, in place (union-find, with all finds done at once).

    Each round unites every group with the one of the smallest number that it is paired with.
    """
    while True:
        ends = group[pairs]
        ends = ends[ends[:, 0] != ends[:, 1]]
        if not len(ends):
            return
        heir = np.arange(len(group))
        np.minimum.at(heir, ends.max(axis=1), ends.min(axis=1))
        while not np.array_equal(heir, further := heir[heir]):
            heir = further
        group[:] = heir[group]


def _bits(block: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """(rows, n): in how many bits the hashes differ."""
    bits: npt.NDArray[np.uint8] = np.bitwise_count(block[:, None] ^ others[None, :])
    return bits


def _packed(bits: Mask) -> np.uint64:
    return np.uint64(int.from_bytes(np.packbits(bits).tobytes(), "big"))


def _cosines() -> npt.NDArray[np.float64]:
    """(8, 32): the first rows of the DCT-II's matrix, not normalised."""
    frequency, place = np.mgrid[0:LOW, 0:DCT_SIDE]
    cosines: npt.NDArray[np.float64] = np.cos(np.pi * frequency * (2 * place + 1) / (2 * DCT_SIDE))
    return cosines


_COSINES = _cosines()
