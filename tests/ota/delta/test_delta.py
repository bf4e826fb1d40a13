from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.shipped import shipped_bundle
from ota.delta.apply import apply
from ota.delta.form import HEAD, MAX_OPERATIONS, METHODS, SECTION, Delta, Kind, Operation, packed_best, write
from ota.delta.make import make
from ota.delta.tflite import tensors
from ota.errors import BadBundle
from tests.ota.networks import Layer, bundle, layers, tar_of, taught, tflite

LIMIT_BYTES = 10_000_000
BEFORE = layers(0)


def method_of(delta: bytes) -> str:
    return METHODS[HEAD.unpack_from(delta)[1]]


def test_a_network_that_was_taught_a_little_takes_a_fraction() -> None:
    base, target = bundle(BEFORE), bundle(taught(BEFORE, 1, step=0.0005), version=2)

    delta = make(base, target)

    assert apply(base, delta, limit_bytes=len(target)) == target
    assert method_of(delta) == "tensors"
    assert len(delta) < 0.4 * len(packed_best(tflite(BEFORE))[1])


def test_one_layer_of_several_takes_its_share() -> None:
    base = bundle(BEFORE)

    one, all_of_them = (make(base, bundle(taught(BEFORE, 1, step=0.01, only=which))) for which in ([2], None))

    assert len(one) < 0.5 * len(all_of_them)


@pytest.mark.real
def test_of_the_shipped_network_some_weights_are_told_and_no_more() -> None:
    before = (shipped_bundle() / "model.tflite").read_bytes()
    after = np.frombuffer(before, np.int8).copy()
    largest = max(tensors(before), key=lambda one: one.data.length).data
    weights = after[largest.place : largest.place + largest.length]
    moved = np.random.default_rng(0).random(largest.length) < 0.01
    weights[moved] = np.clip(weights[moved].astype(np.int16) + 1, -127, 127)
    base, target = tar_of({"model.tflite": before}), tar_of({"model.tflite": after.tobytes()})

    delta = make(base, target)

    assert apply(base, delta, limit_bytes=len(target)) == target
    assert len(delta) < 0.2 * moved.sum() + 2000


def with_names(before: Sequence[Layer], prefix: str) -> list[Layer]:
    return [replace(layer, name=prefix + layer.name) for layer in before]


CHANGES: dict[str, list[Layer]] = {
    "nothing": BEFORE,
    "a layer more": [*taught(BEFORE, 1, step=0.001), *layers(5, count=1)],
    "a layer less": taught(BEFORE, 1, step=0.001)[1:],
    "longer names": with_names(taught(BEFORE, 1, step=0.001), "renamed/"),
    "another order": taught(BEFORE, 1, step=0.001)[::-1],
    "all anew": layers(77),
    "other shapes": layers(1, channels=16),
    "a channel of zeros": [replace(BEFORE[0], weights=BEFORE[0].weights * (np.arange(32) > 3)[:, np.newaxis])],
}


@pytest.mark.parametrize("after", CHANGES.values(), ids=CHANGES)
def test_whatever_happens_to_a_network_there_is_a_way(after: list[Layer]) -> None:
    base, target = bundle(BEFORE), bundle(after, version=2)

    for old, new in ((base, target), (target, base)):
        delta = make(old, new)
        assert apply(old, delta, limit_bytes=len(new)) == new
        assert len(delta) < len(packed_best(new)[1]) + 1000


def test_layers_are_found_by_name_where_one_more_came_between() -> None:
    after = taught(BEFORE, 1, step=0.0005)
    target = bundle([after[0], *layers(5, count=1, inner=65), *after[1:]])

    delta = make(bundle(BEFORE), target)

    assert method_of(delta) == "tensors"
    assert len(delta) < len(make(bundle(layers(8)), target)) / 2


def test_the_same_bundles_give_the_same_delta() -> None:
    base, target = bundle(BEFORE), bundle(taught(BEFORE, 1, step=0.001))

    assert make(base, target) == make(base, target)


def test_from_a_bundle_to_itself_it_takes_next_to_nothing() -> None:
    base = bundle(BEFORE)

    assert len(make(base, base)) < 120


JPEG = random.Random(3).randbytes(2000)
FILES = {
    "a file more": ({"a": b"1" * 900}, {"a": b"1" * 900, "b": JPEG}),
    "a file less": ({"a": JPEG, "b": b"2" * 900}, {"b": b"2" * 900}),
    "a file longer": ({"a": JPEG, "b": JPEG[::-1]}, {"a": JPEG + b"more", "b": JPEG[::-1]}),
    "a file that is empty now": ({"a": JPEG}, {"a": b""}),
    "no file at all": ({}, {}),
    "from no file": ({}, {"a": JPEG}),
    "no network, though it is called one": ({"model.tflite": b"TFL3" * 9}, {"model.tflite": b"    TFL3" * 99}),
}


@pytest.mark.parametrize(("before", "after"), FILES.values(), ids=FILES)
def test_files_come_and_go(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    base, target = tar_of(before), tar_of(after)

    assert apply(base, make(base, target), limit_bytes=len(target)) == target


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Bytes, and the same after some edits: cut out, put in, moved, changed."""
    base = draw(st.binary(max_size=400)) * draw(st.integers(1, 3))
    target = bytearray(base)
    for _ in range(draw(st.integers(0, 6))):
        at, length = draw(st.integers(0, len(target))), draw(st.integers(0, 80))
        piece = draw(st.one_of(st.binary(max_size=80), st.just(bytes(target[:length])), st.just(b"")))
        target[at : at + length] = piece
    return base, bytes(target)


@settings(deadline=None, max_examples=60)
@given(edited())
def test_any_bytes_become_any_other(pair: tuple[bytes, bytes]) -> None:
    base, target = pair

    assert apply(base, make(base, target), limit_bytes=len(target)) == target


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32), st.floats(0, 0.2), st.sets(st.integers(0, 2)))
def test_any_training_of_a_network_is_found(seed: int, step: float, only: set[int]) -> None:
    before = layers(seed, channels=8, inner=24)
    base, target = bundle(before), bundle(taught(before, seed, step=step, only=sorted(only)))

    assert apply(base, make(base, target), limit_bytes=len(target)) == target


def tried(base: bytes, delta: bytes, target: bytes) -> None:
    """Bytes that whoever compares hashes refuses, or those that were meant, or a plain error."""
    try:
        made = apply(base, delta, limit_bytes=len(target))
    except BadBundle:
        return
    assert len(made) <= len(target)


def test_a_delta_that_is_cut_short_is_refused() -> None:
    base, target = bundle(BEFORE[:1]), bundle(taught(BEFORE[:1], 1, step=0.001))
    delta = make(base, target)

    for length in [*range(200), *range(200, len(delta), 7)]:
        with pytest.raises(BadBundle, match=r"cut short|longer"):
            apply(base, delta[:length], limit_bytes=len(target))


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_a_delta_with_a_garbled_byte_ends_all_the_same(flip: int) -> None:
    base, target = bundle(BEFORE[:1]), bundle(taught(BEFORE[:1], 1, step=0.001))
    delta = make(base, target)

    for place in [*range(300), *range(300, len(delta), 13)]:
        tried(base, delta[:place] + bytes([delta[place] ^ flip]) + delta[place + 1 :], target)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8)), min_size=1, max_size=5))
def test_a_delta_garbled_in_several_places_ends_all_the_same(edits: list[tuple[int, bytes]]) -> None:
    delta = bytearray(DELTA)
    for place, content in edits:
        at = place % len(delta)
        delta[at : at + len(content)] = content

    tried(BASE, bytes(delta[: len(DELTA)]), TARGET)


BASE, TARGET = bundle(BEFORE[:1]), bundle(taught(BEFORE[:1], 1, step=0.001))
DELTA = make(BASE, TARGET)


def test_of_bytes_with_nothing_in_common_it_is_what_they_take_themselves() -> None:
    base, target = random.Random(1).randbytes(5000), random.Random(2).randbytes(5000)

    delta = make(base, target)

    assert len(delta) < 5200
    assert apply(base, delta, limit_bytes=5000) == target


def test_a_target_in_more_pieces_than_there_may_be_operations_is_sent_whole() -> None:
    rng = random.Random(1)
    pieces = [rng.randbytes(28) for _ in range(2 * MAX_OPERATIONS // 2)]
    base, target = b"".join(pieces), b"".join(rng.sample(pieces, len(pieces)))

    delta = make(base, target)

    assert apply(base, delta, limit_bytes=len(target)) == target


def test_a_delta_for_another_bundle_is_refused() -> None:
    with pytest.raises(BadBundle, match="for another bundle than the one here"):
        apply(TARGET, DELTA, limit_bytes=LIMIT_BYTES)


def test_a_delta_that_would_make_too_much_is_refused() -> None:
    with pytest.raises(BadBundle, match=f"would make {len(TARGET)} bytes, of which {len(TARGET) - 1} are allowed"):
        apply(BASE, DELTA, limit_bytes=len(TARGET) - 1)


NO_TABLES = np.zeros((0, 256), np.uint8)
SOME = bytes(range(100))


def handmade(
    *operations: Operation, text: bytes = b"", classes: bytes = b"", length: int = 100, symbols: int = 0
) -> bytes:
    given = np.frombuffer(classes, np.uint8)
    return write("files", SOME, Delta(len(SOME), length, operations, text, given, NO_TABLES, 0, symbols, b""))


HOSTILE: dict[str, bytes] = {
    "reads before the base": handmade(Operation(Kind.COPY, 0, -1, inner=10)),
    "reads behind the base": handmade(Operation(Kind.COPY, 0, 91, inner=10)),
    "adds what is behind the base": handmade(Operation(Kind.ADD, 0, 91, inner=10), text=b"x" * 10),
    "writes before the target": handmade(Operation(Kind.COPY, -1, 0, inner=10)),
    "writes behind the target": handmade(Operation(Kind.COPY, 91, 0, inner=10)),
    "words behind the target": handmade(Operation(Kind.WORDS, 64, 0, inner=10), classes=bytes(4)),
    "floats behind the base": handmade(Operation(Kind.FLOATS, 0, 64, inner=10), classes=bytes(4)),
    "an input's scale elsewhere": handmade(Operation(Kind.PRODUCTS, 0, 97, inner=4, scales=8), classes=bytes(4)),
    "scales behind the target": handmade(Operation(Kind.PRODUCTS, 0, 0, inner=4, scales=96), classes=bytes(4)),
    "scales behind the base": handmade(
        Operation(Kind.BYTES, 0, 0, channels=9, scales=20, base_scales=70), classes=bytes(9)
    ),
    "nothing": handmade(Operation(Kind.COPY, 0, 0, inner=0)),
    "less than nothing": handmade(Operation(Kind.COPY, 10, 10, -1, -1, 5)),
    "more than can be": handmade(Operation(Kind.COPY, 0, 0, 2**31 - 1, 2**31 - 1, 2**31 - 1)),
    "too little text": handmade(Operation(Kind.NEW, 0, inner=10), text=b"x" * 9),
    "too much text": handmade(Operation(Kind.NEW, 0, inner=10), text=b"x" * 11),
    "a class too few": handmade(Operation(Kind.BYTES, 0, 0, channels=9), classes=bytes(8)),
    "the same again and again": handmade(*[Operation(Kind.COPY, 0, 0, inner=100)] * 5),
    "symbols that are not there": handmade(Operation(Kind.BYTES, 0, 0, channels=9), classes=b"\1" * 9),
    "symbols that did not come": handmade(Operation(Kind.BYTES, 0, 0, channels=9), classes=b"\1" * 9, symbols=9),
}


@pytest.mark.parametrize("delta", HOSTILE.values(), ids=HOSTILE)
def test_operations_that_lead_elsewhere_are_refused(delta: bytes) -> None:
    with pytest.raises(BadBundle, match="the delta"):
        apply(SOME, delta, limit_bytes=LIMIT_BYTES)


def test_what_no_operation_writes_is_zero() -> None:
    assert apply(SOME, handmade(Operation(Kind.COPY, 90, 0, inner=10)), limit_bytes=100) == bytes(90) + SOME[:10]


def with_section(number: int, coding: int, length: int, content: bytes) -> bytes:
    """A delta of which one section is another."""
    heads = [(0, 0, b"")] * 5
    heads[number] = (coding, length, content)
    head = HEAD.pack(b"DWD1", 0, DELTA[5:13], len(BASE), 1000)
    sections = b"".join(SECTION.pack(coding, length, len(content)) for coding, length, content in heads)
    return head + sections + b"".join(content for _, _, content in heads)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("length", [1, 999_999, 2**31, 2**32 - 1])
def test_a_section_that_unpacks_to_more_than_fits_takes_neither_time_nor_memory(number: int, length: int) -> None:
    bomb = packed_best(bytes(1_000_000))[1]
    tracemalloc.start()

    with pytest.raises(BadBundle):
        apply(BASE, with_section(number, 0, length, bomb), limit_bytes=1000)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def test_as_many_operations_as_may_be_end_soon() -> None:
    many = handmade(
        *[Operation(Kind.WORDS, 4 * number, 0) for number in range(MAX_OPERATIONS)],
        classes=bytes(4 * MAX_OPERATIONS),
        length=4 * MAX_OPERATIONS,
    )
    started_s = time.process_time()

    assert len(apply(SOME, many, limit_bytes=LIMIT_BYTES)) == 4 * MAX_OPERATIONS
    assert time.process_time() - started_s < 20


def test_memory_is_a_few_times_the_target() -> None:
    before = layers(0, channels=128, inner=512)
    base, target = bundle(before), bundle(taught(before, 1, step=0.01))
    delta = make(base, target)
    tracemalloc.start()

    apply(base, delta, limit_bytes=len(target))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(target)
