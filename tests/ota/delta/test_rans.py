from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ota.delta.form import Bytes
from ota.delta.rans import SLOTS, code_of, decoded, encoded, shares_of
from ota.errors import BadBundle


def tables_for(symbols: Bytes, which: Bytes) -> Bytes:
    counts = np.zeros((int(which.max(initial=0)) + 1, 256))
    np.add.at(counts, (which, symbols), 1)
    counts[counts.sum(axis=1) == 0, 0] = 1
    return np.stack([code_of(one) for one in counts])


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 700), st.integers(1, 4), st.integers(1, 256))
def test_symbols_come_back(seed: int, count: int, tables: int, different: int) -> None:
    rng = np.random.default_rng(seed)
    symbols, which = rng.integers(different, size=count).astype(np.uint8), rng.integers(tables, size=count)
    shares = shares_of(tables_for(symbols, which.astype(np.uint8)))

    packed = encoded(symbols, which.astype(np.uint8), shares)

    assert (decoded(packed, which.astype(np.uint8), shares) == symbols).all()


def test_they_take_about_as_many_bits_as_they_tell() -> None:
    rng = np.random.default_rng(0)
    symbols = (np.rint(rng.normal(0, 3, 100_000)).astype(np.int64) % 256).astype(np.uint8)
    which = np.zeros(len(symbols), np.uint8)
    share = np.bincount(symbols, minlength=256) / len(symbols)
    told = -(share[share > 0] * np.log2(share[share > 0])).sum() * len(symbols) / 8

    packed = encoded(symbols, which, shares_of(tables_for(symbols, which)))

    assert len(packed) < 1.005 * told + 8 * 64 + 4


@given(st.lists(st.integers(0, 79), min_size=256, max_size=256))
def test_shares_of_any_table_add_up(codes: list[int]) -> None:
    table = np.array([codes], np.uint8)
    try:
        shares = shares_of(table)
    except BadBundle:
        return

    assert shares.sum(dtype=np.int64) == SLOTS
    assert ((shares > 0) == (table > 0)).all()


@pytest.mark.parametrize("codes", [[0] * 256, [80] + [0] * 255, [255] * 256], ids=["empty", "too large", "nonsense"])
def test_a_table_of_nonsense_is_refused(codes: list[int]) -> None:
    with pytest.raises(BadBundle):
        shares_of(np.array([codes], np.uint8))


def test_rare_symbols_keep_a_share() -> None:
    counts = np.ones(256)
    counts[7] = 1e9

    shares = shares_of(code_of(counts)[np.newaxis])

    assert shares.min() == 1
    assert shares[0, 7] == SLOTS - 255
