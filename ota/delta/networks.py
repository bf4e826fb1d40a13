"""Two networks of the same kind: which numbers of one become which of the other, and by what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ota.delta.form import Kind, Operation
from ota.delta.tflite import INT8, NotTflite, Tensor, tensors

LEAST_NUMBERS: Final = 16  # fewer are not worth an operation of their own


class Network(NamedTuple):
    content: bytes
    tensors: Sequence[Tensor]

    def operations_from(self, old: Network) -> list[Operation]:
        """For scales and data of the layers that both have, in an order in which they can be done. Places are those in
        the two files. What is the same is a copy."""
        made: dict[int, Operation] = {}
        for before, after in _paired(old.tensors, self.tensors):
            for one in _scales(before, after), _data(before, after):
                if one is not None and one.to not in made:
                    made[one.to] = self._or_copy(one, before, after, old.content)
        return sorted(made.values(), key=lambda one: (one.kind, one.to))

    def _or_copy(self, one: Operation, before: Tensor, after: Tensor, old: bytes) -> Operation:
        origin = before.scales.place if one.to == after.scales.place else before.data.place
        same = self.content[one.to : one.to + one.written] == old[origin : origin + one.written]
        return Operation(Kind.COPY, one.to, origin, inner=one.written) if same else one


def network_of(content: bytes) -> Network | None:
    try:
        return Network(content, tensors(content))
    except NotTflite:
        return None


def _paired(old: Sequence[Tensor], new: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """In their order where all are of the same kinds and shapes, else by name."""
    if [_kind(one) for one in old] == [_kind(one) for one in new]:
        yield from zip(old, new, strict=True)
        return
    by_name = {(one.name, _kind(one)): one for one in old}
    for one in new:
        before = by_name.get((one.name, _kind(one)))
        if before is not None:
            yield before, one


def _kind(one: Tensor) -> tuple[int, tuple[int, int, int], int]:
    return one.type, one.shape, one.scales.length


def _scales(before: Tensor, after: Tensor) -> Operation | None:
    place, count = after.scales
    if count < LEAST_NUMBERS:
        return None
    if after.multiplied is not None:
        of_input, of_weights = after.multiplied
        return Operation(Kind.PRODUCTS, place, of_input, inner=count, scales=of_weights)
    return Operation(Kind.FLOATS, place, before.scales.place, inner=count)


def _data(before: Tensor, after: Tensor) -> Operation | None:
    outer, channels, inner = after.shape
    if outer * channels * inner < LEAST_NUMBERS:
        return None
    kind = Kind.BYTES if after.type == INT8 else Kind.WORDS
    scales = (after.scales.place, before.scales.place) if after.scales.length else (0, 0)
    return Operation(kind, after.data.place, before.data.place, outer, channels, inner, *scales)
