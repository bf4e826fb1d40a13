from __future__ import annotations

import pytest

from model.shipped import shipped_bundle
from ota.delta.tflite import INT8, INT32, NotTflite, tensors
from tests.ota.networks import layers, tflite


def test_the_numbers_of_a_network_are_found() -> None:
    network = layers(0)
    content = tflite(network)

    found = {one.name: one for one in tensors(content)}

    first, second, bias = (found[name] for name in (b"layer-0", b"layer-1", b"layer-0/bias"))
    assert (first.type, first.shape, first.scales.length) == (INT8, (1, 32, 64), 32)
    assert (second.type, second.shape) == (INT8, (64, 32, 1))
    assert (bias.type, bias.shape, bias.data.length) == (INT32, (1, 32, 1), 128)
    assert bias.multiplied is not None
    assert bias.multiplied[1] == first.scales.place


def test_most_of_the_shipped_network_are_numbers_that_are_found() -> None:
    content = (shipped_bundle() / "model.tflite").read_bytes()

    found = tensors(content)

    assert sum(one.data.length + 4 * one.scales.length for one in found) > 0.8 * len(content)
    assert all(one.multiplied for one in found if one.type == INT32 and one.scales.length > 1)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"    TFL3", b"\xff" * 100, b"    TFL3" + b"\xff" * 100])
def test_what_is_no_network_is_told(content: bytes) -> None:
    with pytest.raises(NotTflite):
        tensors(content)


def test_a_network_that_is_cut_or_garbled_is_told_or_read_as_far_as_it_makes_sense() -> None:
    content = tflite(layers(0, count=1, channels=4, inner=4))

    for place in range(len(content)):
        for one in content[:place], content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]:
            try:
                found = tensors(one)
            except NotTflite:
                continue
            assert all(tensor.data.place + tensor.data.length <= len(one) for tensor in found)
