"""Expressions drawn at random, each with a slow and plain interpreter of its own beside its text."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Value = bool | int | float | None
Values = Mapping[str, float | None]

SIGNALS = ("temperature", "cpu_temperature")  # of one unit, without an upper end, below which nothing else is written
COMPARING: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
TERNARY, OR, AND, RELATION, SUM, PRODUCT, UNARY, PRIMARY = range(8)  # how tightly it binds: the last the most


@dataclass(frozen=True)
class Drawn:
    """`meaning` of the values is what the text says; None is unknown."""

    text: str
    binds: int
    meaning: Callable[[Values], Value]

    def within(self, binds: int) -> str:
        """The text as a part of something that binds like this, in brackets where it must."""
        return self.text if self.binds >= binds else f"({self.text})"


def strict(calculate: Callable[..., Value], *parts: Drawn) -> Callable[[Values], Value]:
    def meaning(values: Values) -> Value:
        known = [part.meaning(values) for part in parts]
        return None if None in known else calculate(*known)

    return meaning


def double(value: float) -> float | None:
    return value if math.isfinite(value) else None


def int64(value: int) -> int | None:
    return value if -(2**63) <= value < 2**63 else None


def quotient(left: Any, right: Any) -> float | int | None:
    if right == 0:
        return None
    if isinstance(left, float):
        return double(left / right)
    return int64(abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1))


def fitting(calculate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Value]:
    def fitted(left: Any, right: Any) -> Value:
        found = calculate(left, right)
        return double(found) if isinstance(found, float) else int64(found)

    return fitted


CALCULATING: dict[str, tuple[int, Callable[[Any, Any], Value]]] = {
    "+": (SUM, fitting(operator.add)),
    "-": (SUM, fitting(operator.sub)),
    "*": (PRODUCT, fitting(operator.mul)),
    "/": (PRODUCT, quotient),
}


def signal(name: str) -> Drawn:
    return Drawn(name, PRIMARY, lambda values: values[name])


def number(value: float) -> Drawn:
    return Drawn(repr(value), PRIMARY if value >= 0 and repr(value)[0] != "-" else UNARY, lambda _: value)


def truth(value: bool) -> Drawn:
    return Drawn(str(value).lower(), PRIMARY, lambda _: value)


def calculated(sign: str, left: Drawn, right: Drawn) -> Drawn:
    binds, calculate = CALCULATING[sign]
    return Drawn(f"{left.within(binds)} {sign} {right.within(binds + 1)}", binds, strict(calculate, left, right))


def negative(operand: Drawn) -> Drawn:
    def turned(value: Any) -> Value:
        return -value if isinstance(value, float) else int64(-value)

    return Drawn(f"-{operand.within(UNARY)}", UNARY, strict(turned, operand))


def compared(sign: str, left: Drawn, right: Drawn) -> Drawn:
    text = f"{left.within(RELATION)} {sign} {right.within(SUM)}"
    return Drawn(text, RELATION, strict(COMPARING[sign], left, right))


def member(operand: Drawn, numbers: list[float]) -> Drawn:
    text = f"{operand.within(SUM)} in [{', '.join(map(repr, numbers))}]"
    return Drawn(text, RELATION, strict(lambda value: any(value == each for each in numbers), operand))


def inverted(operand: Drawn) -> Drawn:
    return Drawn(f"!{operand.within(UNARY)}", UNARY, strict(operator.not_, operand))


def joined(sign: str, parts: list[Drawn]) -> Drawn:
    binds, settling = (OR, True) if sign == "||" else (AND, False)

    def meaning(values: Values) -> Value:
        found = [part.meaning(values) for part in parts]
        if settling in found:
            return settling
        return None if None in found else not settling

    return Drawn(f" {sign} ".join(part.within(binds + 1) for part in parts), binds, meaning)


def chosen(condition: Drawn, yes: Drawn, no: Drawn) -> Drawn:
    def meaning(values: Values) -> Value:
        found = condition.meaning(values)
        return None if found is None else (yes if found else no).meaning(values)

    return Drawn(f"{condition.within(OR)} ? {yes.within(OR)} : {no.within(TERNARY)}", TERNARY, meaning)


PLAIN = [0.5, 1.0, 2.0, 3.25, 7.0, 1e-300, 1e300]
WHOLE = [0, 1, 2, 3, 7, 2**62, 2**63 - 1]
Draw = Callable[[st.SearchStrategy[Any]], Any]


def a_truth(draw: Draw, depth: int) -> Drawn:
    """Something true or false; the deeper, the larger: about `depth` levels of signs."""
    kind = draw(st.integers(0, 7)) if depth > 1 else 0
    deeper = depth - 1
    if kind == 0:
        return draw(st.booleans().map(truth)) if draw(st.integers(0, 9)) == 9 else a_comparison(draw, deeper)
    if kind == 1:
        return compared(one_of(draw, "==", "!="), a_truth(draw, deeper), a_truth(draw, deeper))
    if kind == 2:
        return member(a_double(draw, deeper), draw(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=3)))
    if kind == 3:
        return inverted(a_truth(draw, deeper))
    if kind == 4:
        return chosen(*(a_truth(draw, deeper) for _ in range(3)))
    return joined(one_of(draw, "&&", "||"), [a_truth(draw, deeper) for _ in range(draw(st.integers(2, 3)))])


def a_comparison(draw: Draw, depth: int) -> Drawn:
    sign = one_of(draw, *COMPARING)
    if depth > 1 and draw(st.integers(0, 3)) == 3:
        return compared(sign, a_whole(draw, depth), a_whole(draw, depth))
    return compared(sign, a_double(draw, depth), a_double(draw, depth - 1))


def a_double(draw: Draw, depth: int) -> Drawn:
    kind = draw(st.integers(0, 5)) if depth > 0 else draw(st.sampled_from([0, 0, 1]))
    deeper = depth - 1
    if kind == 0:
        return signal(one_of(draw, *SIGNALS))
    if kind == 1:
        return number(one_of(draw, *PLAIN))
    if kind == 2:  # by what has no unit, so that the unit stays what it is
        factor = chosen(a_comparison(draw, 0), number(one_of(draw, *PLAIN)), number(one_of(draw, 0.0, *PLAIN)))
        return calculated(one_of(draw, "*", "/"), a_double(draw, deeper), factor)
    if kind == 3:
        return negative(a_double(draw, deeper))
    if kind == 4 and depth > 1:
        return chosen(a_truth(draw, deeper), a_double(draw, deeper), a_double(draw, deeper))
    return calculated(one_of(draw, "+", "-"), a_double(draw, deeper), a_double(draw, deeper))


def a_whole(draw: Draw, depth: int) -> Drawn:
    kind = draw(st.integers(0, 4)) if depth > 1 else 0
    deeper = depth - 1
    if kind == 0:
        return number(one_of(draw, *WHOLE))
    if kind == 1:
        return negative(a_whole(draw, deeper))
    if kind == 2:
        return calculated(one_of(draw, "+", "-", "*", "/"), a_whole(draw, deeper), a_whole(draw, deeper))
    return chosen(a_truth(draw, deeper), a_whole(draw, deeper), a_whole(draw, deeper))


def one_of(draw: Draw, *choices: Any) -> Any:
    return draw(st.sampled_from(choices))


@st.composite
def trees(draw: Draw) -> Drawn:
    return a_truth(draw, draw(st.integers(1, 5)))
