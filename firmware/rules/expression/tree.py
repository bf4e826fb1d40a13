"""What an expression is made of. Each node knows its place in the text, `[start, end)`, and how deep it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from drivers.types import SourceId
from firmware.rules.expression.windows import Function


class SignalRef(NamedTuple):
    """The last value of a signal; `device` None: of each device that has it."""

    device: SourceId | None
    signal: str


class WindowRef(NamedTuple):
    """What a function makes of the last `duration_ns` of a signal; `duration_ns` is 0 for `age`."""

    function: Function
    device: SourceId | None
    signal: str
    duration_ns: int

    @property
    def of(self) -> SignalRef:
        return SignalRef(self.device, self.signal)


@dataclass(frozen=True, slots=True)
class Node:
    """`height` is 1 for a node without parts, and one more than that of its highest part for any other."""

    start: int
    end: int
    height: int


@dataclass(frozen=True, slots=True)
class Truth(Node):
    value: bool


@dataclass(frozen=True, slots=True)
class Number(Node):
    """An int of CEL, of 64 bits, or a double, which is finite. `unit` is what `amount` gives to it."""

    value: int | float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Signal(Node):
    ref: SignalRef


@dataclass(frozen=True, slots=True)
class Window(Node):
    of: Signal
    ref: WindowRef


@dataclass(frozen=True, slots=True)
class Not(Node):
    operand: Node


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """`whole`: see `Arithmetic`."""

    operand: Node
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`sign` is + - * or /. `whole`: both sides are ints of CEL, otherwise doubles; known once it is checked."""

    sign: str
    left: Node
    right: Node
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`sign` is < <= > >= == or !=."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Membership(Node):
    """`operand in [numbers]`"""

    operand: Node
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Junction(Node):
    """Two parts or more, joined by `sign`: && or ||."""

    sign: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """`condition ? yes : no`"""

    condition: Node
    yes: Node
    no: Node


def leaves(node: Node) -> Iterator[Signal | Window]:
    """The signals and windows that the node asks for, in the order of the text."""
    match node:
        case Signal() | Window():
            yield node
        case Not(operand=operand) | Negative(operand=operand) | Membership(operand=operand):
            yield from leaves(operand)
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            yield from leaves(left)
            yield from leaves(right)
        case Junction(parts=parts):
            for part in parts:
                yield from leaves(part)
        case Choice():
            for part in (node.condition, node.yes, node.no):
                yield from leaves(part)
