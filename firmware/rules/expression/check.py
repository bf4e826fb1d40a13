"""Tells what cannot be meant: unknown names, unlike types and units, limits that can never be crossed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from drivers.types import Quantity, SourceId
from firmware.rules.expression.errors import BadExpression, shown
from firmware.rules.expression.limits import TURNED, Range, foregone
from firmware.rules.expression.parse import LEAST_INT, MOST_INT
from firmware.rules.expression.tree import (
    Arithmetic,
    Choice,
    Comparison,
    Junction,
    Membership,
    Negative,
    Node,
    Not,
    Number,
    Signal,
    Truth,
    Window,
    leaves,
)
from firmware.rules.expression.units import PLAIN, Unit
from firmware.rules.expression.windows import Function
from firmware.rules.names import nearest
from firmware.rules.ranges import range_of

ANY, UP = (-math.inf, math.inf), (0.0, math.inf)
HOUR, SECOND = Unit.of("h"), Unit.of("s")


@dataclass(frozen=True, slots=True)
class _Truth:
    """A node that is true or false."""

    node: Node


@dataclass(frozen=True, slots=True)
class _Amount:
    """A node that is a number. `unit` None takes any: a plain number. `whole` is an int of CEL, not a double.
    `range` is what a signal or window can be at all."""

    node: Node
    whole: bool
    unit: Unit | None
    range: Range = ANY


_Checked = _Truth | _Amount

UNITS: Mapping[Function, Callable[[Unit], Unit]] = {
    Function.RATE: lambda unit: unit / HOUR,
    Function.COUNT: lambda _: PLAIN,
    Function.AGE: lambda _: SECOND,
}
"""Of what a function makes of a signal; the others keep its unit."""

RANGES: Mapping[Function, Range] = {
    Function.RATE: ANY,
    Function.STDDEV: UP,
    Function.COUNT: UP,
    Function.AGE: UP,
}
"""The others keep the signal's range."""


def check(
    root: Node, text: str, *, quantities: Mapping[str, Quantity], sources: Collection[SourceId] | None = None
) -> Node:
    """The same tree, with arithmetic on numbers alone worked out. Raises `BadExpression`.

    `quantities` are the signals that there are. `sources` are the devices that may be named; None takes any.
    """
    checker = _Checker(text, quantities, sources)
    found = checker.truth(root, "a rule is true or false")
    if next(leaves(found), None) is None:
        raise BadExpression("no signal is named: it would always be the same", root.start, root.end)
    return found


class _Checker:
    def __init__(self, text: str, quantities: Mapping[str, Quantity], sources: Collection[SourceId] | None) -> None:
        self._text = text
        self._quantities = quantities
        self._sources = sources

    def truth(self, node: Node, wanted: str) -> Node:
        """`node`, which must be true or false."""
        found = self._check(node)
        if isinstance(found, _Amount):
            raise BadExpression(f"{wanted}, and {self._said(node)} is a number: compare it", node.start, node.end)
        return found.node

    def _amount(self, node: Node, wanted: str) -> _Amount:
        found = self._check(node)
        if isinstance(found, _Truth):
            raise BadExpression(f"{wanted}, and {self._said(node)} is true or false", node.start, node.end)
        return found

    def _check(self, node: Node) -> _Checked:
        match node:
            case Truth():
                return _Truth(node)
            case Number():
                return self._number(node)
            case Signal():
                measured = self._quantity(node)
                return _Amount(node, False, Unit.of(measured.unit), range_of(measured))
            case Window():
                return self._window(node)
            case Not(operand=operand):
                return _Truth(replace(node, operand=self.truth(operand, "! turns true and false around")))
            case Negative():
                return self._negative(node)
            case Arithmetic():
                return self._arithmetic(node)
            case Comparison():
                return self._comparison(node)
            case Membership():
                return self._membership(node)
            case Junction(sign=sign, parts=parts):
                checked = tuple(self.truth(part, f"{sign} joins what is true or false") for part in parts)
                return _Truth(replace(node, parts=checked))
            case Choice():
                return self._choice(node)
        raise AssertionError(node)

    def _number(self, node: Number) -> _Amount:
        try:
            unit = None if node.unit is None else Unit.of(node.unit)
        except ValueError as error:
            raise BadExpression(str(error), node.start, node.end) from error
        return _Amount(node, isinstance(node.value, int), unit)

    def _quantity(self, node: Signal) -> Quantity:
        device, name = node.ref
        if name not in self._quantities:
            problem = f"no signal is named {shown(name)}{nearest(name, self._quantities)}"
            raise BadExpression(problem, node.end - len(name), node.end)
        if device is not None and (not device or (self._sources is not None and device not in self._sources)):
            problem = f"no device is named {shown(device)}{nearest(device, self._sources or ())}"
            raise BadExpression(problem, node.start, node.end)
        return self._quantities[name]

    def _window(self, node: Window) -> _Amount:
        measured = self._quantity(node.of)
        function = node.ref.function
        unit = Unit.of(measured.unit)
        if function in UNITS:
            unit = UNITS[function](unit)
        return _Amount(node, False, unit, RANGES.get(function, range_of(measured)))

    def _negative(self, node: Negative) -> _Amount:
        operand = self._amount(node.operand, "- wants a number")
        if isinstance(operand.node, Number):
            return self._worked_out(node, -operand.node.value, operand.whole, operand.unit)
        return _Amount(replace(node, operand=operand.node, whole=operand.whole), operand.whole, operand.unit)

    def _arithmetic(self, node: Arithmetic) -> _Amount:
        left = self._amount(node.left, f"{node.sign} wants numbers")
        right = self._amount(node.right, f"{node.sign} wants numbers")
        self._of_one_type(left, right)
        unit = self._unit(node, left, right)
        if node.sign == "/" and isinstance(right.node, Number) and right.node.value == 0:
            raise BadExpression("nothing can be divided by zero", node.start, node.end)
        if isinstance(left.node, Number) and isinstance(right.node, Number):
            value = worked_out(node.sign, left.node.value, right.node.value)
            return self._worked_out(node, value, left.whole, unit)
        return _Amount(replace(node, left=left.node, right=right.node, whole=left.whole), left.whole, unit)

    def _unit(self, node: Arithmetic, left: _Amount, right: _Amount) -> Unit | None:
        if node.sign in ("+", "-"):
            return self._one_unit(left, right, "added" if node.sign == "+" else "subtracted")
        if left.unit is None and right.unit is None:
            return None
        one, other = left.unit or PLAIN, right.unit or PLAIN
        return one * other if node.sign == "*" else one / other

    def _comparison(self, node: Comparison) -> _Truth:
        left, right = self._check(node.left), self._check(node.right)
        if isinstance(left, _Truth) or isinstance(right, _Truth):
            return self._comparison_of_truths(node, left, right)
        self._one_unit(left, right, "compared")
        if isinstance(right.node, Number):
            self._can_be_either(node, left, node.sign, right.node)
        elif isinstance(left.node, Number):
            self._can_be_either(node, right, TURNED[node.sign], left.node)
        return _Truth(replace(node, left=left.node, right=right.node))

    def _comparison_of_truths(self, node: Comparison, left: _Checked, right: _Checked) -> _Truth:
        if isinstance(left, _Truth) and isinstance(right, _Truth) and node.sign in ("==", "!="):
            return _Truth(replace(node, left=left.node, right=right.node))
        if isinstance(node.left, Comparison) and isinstance(right, _Amount):
            problem = "comparisons do not chain: write them apart, such as 1.0 < pm2_5 && pm2_5 < 35.0"
            raise BadExpression(problem, node.start, node.end)
        number = node.left if isinstance(left, _Amount) else node.right
        other = node.right if number is node.left else node.left
        if isinstance(left, _Truth) and isinstance(right, _Truth):
            problem = f"{node.sign} compares numbers; what is true or false can be == or !="
        else:
            problem = f"{self._said(other)} is true or false, and {self._said(number)} is a number"
        raise BadExpression(problem, node.start, node.end)

    def _membership(self, node: Membership) -> _Truth:
        operand = self._amount(node.operand, "in looks for a number in a list")
        for number in node.numbers:
            self._can_be_either(number, operand, "==", number)
        return _Truth(replace(node, operand=operand.node))

    def _choice(self, node: Choice) -> _Checked:
        condition = self.truth(node.condition, "what stands before ? is true or false")
        yes, no = self._check(node.yes), self._check(node.no)
        if isinstance(yes, _Truth) and isinstance(no, _Truth):
            return _Truth(replace(node, condition=condition, yes=yes.node, no=no.node))
        if isinstance(yes, _Truth) or isinstance(no, _Truth):
            problem = "on both sides of : must be numbers, or what is true or false"
            raise BadExpression(problem, node.yes.start, node.no.end)
        self._of_one_type(yes, no)
        unit = self._one_unit(yes, no, "chosen between")
        return _Amount(replace(node, condition=condition, yes=yes.node, no=no.node), yes.whole, unit)

    def _of_one_type(self, left: _Amount, right: _Amount) -> None:
        """CEL turns no int into a double by itself."""
        if left.whole == right.whole:
            return
        whole = left.node if left.whole else right.node
        said = self._said(whole)
        instead = f": write {whole.value}.0" if isinstance(whole, Number) else ""
        problem = f"{said} is a whole number and the other is not, and CEL does not mix them{instead}"
        raise BadExpression(problem, whole.start, whole.end)

    def _one_unit(self, left: _Amount, right: _Amount, how: str) -> Unit | None:
        if left.unit is None or right.unit is None:
            return left.unit or right.unit
        if left.unit != right.unit:
            one, other = f"{self._said(left.node)} is in {left.unit}", f"{self._said(right.node)} in {right.unit}"
            raise BadExpression(f"{one}, {other}: they cannot be {how}", left.node.start, right.node.end)
        return left.unit

    def _can_be_either(self, node: Node, of: _Amount, sign: str, limit: Number) -> None:
        answer = foregone(sign, limit.value, of.range)
        if answer is None:
            return
        least, most = of.range
        unit = "" if of.unit in (None, PLAIN) else f" {of.unit}"
        span = f"from {least:g} to {most:g}{unit}" if most < math.inf else f"{least:g}{unit} or more"
        problem = f"{self._said(of.node)} is {span}: this would always be {str(answer).lower()}"
        raise BadExpression(problem, node.start, node.end)

    def _worked_out(self, node: Node, value: int | float, whole: bool, unit: Unit | None) -> _Amount:
        if not (LEAST_INT <= value <= MOST_INT if whole else math.isfinite(value)):
            raise BadExpression(f"{self._said(node)} is too large a number", node.start, node.end)
        return _Amount(Number(node.start, node.end, 1, value), whole, unit)

    def _said(self, node: Node) -> str:
        return shown(self._text[node.start : node.end])


def worked_out(sign: str, left: int | float, right: int | float) -> int | float:
    """Two ints or two doubles, by CEL; `right` is not zero where it divides. Ints may come out too large."""
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right
