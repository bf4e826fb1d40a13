"""Which photos show the same, whatever was done to them on the way."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.training.data.pictures import open_picture
from model.training.data.twins import (
    BLOCK_CELLS,
    DCT_SIDE,
    DHASH_HEIGHT,
    DHASH_WIDTH,
    Prints,
    fingerprint,
    groups,
    join,
    twin_pairs,
)
from tests.model.training.data.photos import Rgb, photo


def print_of(rgb: Rgb, *, quality: int = 95) -> Prints:
    content = io.BytesIO()
    Image.fromarray(rgb).save(content, "JPEG", quality=quality)
    picture = open_picture(content.getvalue())
    return fingerprint(picture.grey(DCT_SIDE, DCT_SIDE), picture.grey(DHASH_WIDTH, DHASH_HEIGHT))


def near(*prints: Prints) -> list[tuple[int, int]]:
    return [tuple(pair) for pairs, _ in twin_pairs(np.array(prints)) for pair in pairs.tolist()]


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(print_of(photo(1), quality=30), id="saved anew"),
        pytest.param(print_of(photo(1, 80, 60)), id="smaller"),
        pytest.param(print_of(photo(1)[:, ::-1]), id="mirrored"),
        pytest.param(print_of((photo(1) * 0.6).astype(np.uint8)), id="darker"),
        pytest.param(print_of(photo(1)[3:, 4:]), id="moved by a little"),
    ],
)
def test_the_same_photo_is_known_again(again: Prints) -> None:
    assert near(print_of(photo(1)), again) == [(0, 1)]


def test_a_photo_saved_anew_is_the_same_and_a_shot_in_a_row_only_near() -> None:
    prints = np.array([print_of(photo(1)), print_of(photo(1), quality=30), print_of(photo(1)[6:, 6:])])

    ((pairs, same),) = twin_pairs(prints)

    assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert same.tolist() == [True, False, False]


def test_unlike_photos_are_no_twins() -> None:
    assert near(*(print_of(photo(seed)) for seed in range(60))) == []


def test_twins_of_twins_are_one_group_named_by_its_first() -> None:
    group = np.arange(7)

    join(group, np.array([[5, 6], [1, 4]]))
    join(group, np.array([[4, 5], [2, 3]]))

    assert group.tolist() == [0, 1, 2, 2, 1, 1, 1]


@given(
    st.integers(2, 40).flatmap(lambda n: st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=60))
)
def test_groups_are_those_of_a_walk_along_the_pairs(pairs: list[tuple[int, int]]) -> None:
    group = np.arange(40)

    join(group, np.array(pairs, np.intp).reshape(-1, 2))

    for start in range(40):
        reached, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            for a, b in pairs:
                for other in ({a, b} - {here}) if here in (a, b) else ():
                    if other not in reached:
                        reached.add(other)
                        waiting.append(other)
        assert group[start] == min(reached)


def test_thousands_of_pictures_are_compared_in_blocks() -> None:
    prints = np.random.default_rng(0).integers(0, 2**63, (3 * int(BLOCK_CELLS**0.5), 4)).astype(np.uint64)
    prints[-1] = prints[0]
    prints[3000, :2] = prints[2000, 2:]

    group = groups(prints)

    assert group[-1] == 0
    assert group[3000] == 2000
    assert len(set(group.tolist())) == len(prints) - 2


@pytest.mark.parametrize("count", [0, 1])
def test_a_picture_alone_has_no_twin(count: int) -> None:
    assert groups(np.zeros((count, 4), np.uint64)).tolist() == list(range(count))


def test_pictures_that_are_all_alike_are_one_group() -> None:
    assert set(groups(np.zeros((500, 4), np.uint64)).tolist()) == {0}
