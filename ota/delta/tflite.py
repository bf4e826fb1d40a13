"""Where in a TFLite file its numbers lie: as much of its flatbuffer as that takes (tensorflow/lite/schema/schema.fbs).

Only for who makes a delta: a board reads none of this.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import prod
from typing import Final, NamedTuple

IDENTIFIER: Final = b"TFL3"
INT32, INT8 = 2, 9  # TensorType
MODEL_SUBGRAPHS, MODEL_BUFFERS = 2, 4
SUBGRAPH_TENSORS, SUBGRAPH_OPERATORS = 0, 3
TENSOR_SHAPE, TENSOR_TYPE, TENSOR_BUFFER, TENSOR_NAME, TENSOR_QUANTIZATION = range(5)
QUANTIZATION_SCALE, QUANTIZATION_AXIS = 2, 6
OPERATOR_INPUTS = 1
BUFFER_DATA = 0


class NotTflite(Exception):
    """Or one that is laid out otherwise than we know."""


class Vector(NamedTuple):
    place: int
    length: int


class Tensor(NamedTuple):
    """`data` and `scales` are stretches of the file: the former in bytes, the latter in floats, maybe none.

    `shape` is (outer, channels, inner), channels those that have a scale each. `multiplied`: of a bias, the places of
    its input's scale and of the scales of its weights.
    """

    name: bytes
    type: int
    data: Vector
    shape: tuple[int, int, int]
    scales: Vector
    multiplied: tuple[int, int] | None


def tensors(model: bytes) -> list[Tensor]:
    """Those of the first graph that have int8 or int32 data, in its order. Raises `NotTflite`."""
    try:
        return list(_tensors(_Reader(model)))
    except (struct.error, IndexError, ValueError) as error:
        raise NotTflite(str(error)) from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        if content[4:8] != IDENTIFIER:
            raise NotTflite("has another identifier")
        self.content = content

    def number(self, kind: str, place: int) -> int:
        if place < 0:
            raise NotTflite("leads elsewhere")
        (found,) = struct.unpack_from("<" + kind, self.content, place)
        return int(found)

    def follow(self, place: int) -> int:
        return place + self.number("I", place)

    def field(self, table: int, number: int) -> int | None:
        """Where it lies; None where the table leaves it out."""
        vtable = table - self.number("i", table)
        place = 4 + 2 * number
        if place + 2 > self.number("H", vtable):
            return None
        offset = self.number("H", vtable + place)
        return table + offset if offset else None

    def vector(self, table: int, number: int) -> Vector:
        place = self.field(table, number)
        if place is None:
            return Vector(0, 0)
        start = self.follow(place)
        length = self.number("I", start)
        if start + 4 + length > len(self.content):
            raise NotTflite("a vector is longer than the file")
        return Vector(start + 4, length)

    def tables(self, table: int, number: int) -> list[int]:
        start, length = self.vector(table, number)
        return [self.follow(start + 4 * each) for each in range(length)]

    def numbers(self, table: int, number: int) -> list[int]:
        start, length = self.vector(table, number)
        return [self.number("i", start + 4 * each) for each in range(length)]

    def scalar(self, table: int, number: int, kind: str) -> int:
        place = self.field(table, number)
        return 0 if place is None else self.number(kind, place)


def _tensors(reader: _Reader) -> Iterator[Tensor]:
    model = reader.follow(0)
    buffers = reader.tables(model, MODEL_BUFFERS)
    graph = reader.tables(model, MODEL_SUBGRAPHS)[0]
    found = reader.tables(graph, SUBGRAPH_TENSORS)
    scales = [_scales(reader, table) for table in found]
    multiplied = {}
    for operator in reader.tables(graph, SUBGRAPH_OPERATORS):
        inputs = reader.numbers(operator, OPERATOR_INPUTS)
        if len(inputs) == 3 and min(inputs) >= 0:
            of_input, of_weights = scales[inputs[0]], scales[inputs[1]]
            if of_input.length == 1 and of_weights.length == scales[inputs[2]].length:
                multiplied[inputs[2]] = (of_input.place, of_weights.place)
    for number, table in enumerate(found):
        kind = reader.scalar(table, TENSOR_TYPE, "b")
        data = reader.vector(buffers[reader.scalar(table, TENSOR_BUFFER, "I")], BUFFER_DATA)
        shape = _shape(reader, table, scales[number].length)
        if kind in (INT8, INT32) and data.length == prod(shape) * (4 if kind == INT32 else 1):
            start, length = reader.vector(table, TENSOR_NAME)
            name = reader.content[start : start + length]
            yield Tensor(name, kind, data, shape, scales[number], multiplied.get(number))


def _scales(reader: _Reader, tensor: int) -> Vector:
    place = reader.field(tensor, TENSOR_QUANTIZATION)
    found = Vector(0, 0) if place is None else reader.vector(reader.follow(place), QUANTIZATION_SCALE)
    if found.place + 4 * found.length > len(reader.content):
        raise NotTflite("scales are longer than the file")
    return found


def _shape(reader: _Reader, tensor: int, scales: int) -> tuple[int, int, int]:
    shape = reader.numbers(tensor, TENSOR_SHAPE)
    if scales <= 1:
        return 1, 1, prod(shape)
    axis = reader.scalar(reader.follow(reader.field(tensor, TENSOR_QUANTIZATION) or 0), QUANTIZATION_AXIS, "i")
    if not 0 <= axis < len(shape) or shape[axis] != scales:
        return 1, 1, prod(shape)
    return prod(shape[:axis]), scales, prod(shape[axis + 1 :])
