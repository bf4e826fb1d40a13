"""Turns a checked expression into a Python function that answers in three values, by Kleene's logic.

For `pm2_5 > 35.0 && humidity > 70.0` it is

    def ask(values):
        v0, v1 = values
        return (False if (t1 := (None if v0 is None else v0 > 35.0)) is False or (t2 := ...) is False
                else None if t1 is None or t2 is None else True)

so that an answer costs about as much as the same comparisons written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
    SignalRef,
    Truth,
    Window,
    WindowRef,
)

Places = Mapping[SignalRef | WindowRef, int]
Ask = Callable[[Sequence[float | None]], bool | None]


def function(root: Node, places: Places) -> Ask:
    """What answers the expression; `places` says which of its values is which signal or window.

    Executing it is safe: no text of a user gets into the source. It is put together from the words of this file, from
    numbers as `repr` writes them, and from places: it has no names but `values`, v0, v1 ... and t1, t2 ... Without
    builtins it could reach nothing even if that were wrong. Its size and depth are bounded by the parser.
    """
    names: dict[str, Any] = {}
    exec(compile(source(root, places), "<rule>", "exec"), {"__builtins__": {}}, names)
    ask: Ask = names["ask"]
    return ask


def source(root: Node, places: Places) -> str:
    values = "".join(f"v{place}, " for place in sorted(set(places.values())))
    return f"def ask(values):\n {values}= values\n return {_Writer(places).write(root)}\n"


class _Writer:
    def __init__(self, places: Places) -> None:
        self._places = places
        self._temporaries = 0

    def write(self, node: Node) -> str:
        """An expression of Python: in brackets, or the name of a variable."""
        match node:
            case Truth(value=value) | Number(value=value):
                return f"({value!r})"
            case Signal(ref=ref) | Window(ref=ref):
                return f"v{self._places[ref]}"
            case Not(operand=operand):
                return self._strict("not {0}", operand)
            case Negative(operand=operand):
                return self._strict(self._fitting("-{0}", node.whole), operand)
            case Comparison(sign=sign, left=left, right=right):
                return self._strict(f"{{0}} {sign} {{1}}", left, right)
            case Membership(operand=operand, numbers=numbers):
                return self._strict(f"{{0}} in ({''.join(f'{number.value!r}, ' for number in numbers)})", operand)
            case Arithmetic():
                return self._arithmetic(node)
            case Junction():
                return self._junction(node)
            case Choice():
                return self._choice(node)
        raise AssertionError(node)

    def _strict(self, form: str, *operands: Node, or_if: str = "") -> str:
        """`form` of the operands; unknown as soon as one of them is, or if `or_if` holds."""
        questions, names = [], []
        for operand in operands:
            if isinstance(operand, Number | Truth):
                names.append(self.write(operand))
            else:
                question, name = self._held(operand)
                questions.append(f"{question} is None")
                names.append(name)
        if or_if:
            questions.append(or_if.format(*names))
        if not questions:
            return f"({form.format(*names)})"
        return f"(None if {' or '.join(questions)} else {form.format(*names)})"

    def _arithmetic(self, node: Arithmetic) -> str:
        form = f"{{0}} {node.sign} {{1}}"
        if node.whole and node.sign == "/":  # CEL cuts off, Python rounds down
            form = "({0} // {1} if ({0} < 0) == ({1} < 0) else -(-{0} // {1}))"
        divides = node.sign == "/" and not isinstance(node.right, Number)  # the checker saw to the others
        return self._strict(self._fitting(form, node.whole), node.left, node.right, or_if="{1} == 0" if divides else "")

    def _fitting(self, form: str, whole: bool) -> str:
        """Unknown where the number would be too large: 1e999 is infinity, and NaN fails every comparison."""
        fresh = self._temporary()
        if whole:
            return f"{fresh} if {LEAST_INT} <= ({fresh} := {form}) <= {MOST_INT} else None"
        return f"{fresh} if -1e999 < ({fresh} := {form}) < 1e999 else None"

    def _junction(self, node: Junction) -> str:
        """The one value that settles it goes before unknown, and that before the other value."""
        questions, unknown = [], []
        for part in node.parts:
            question, name = self._held(part)
            questions.append(question if node.sign == "||" else f"{question} is False")
            unknown.append(f"{name} is None")
        settled = node.sign == "||"
        return f"({settled} if {' or '.join(questions)} else None if {' or '.join(unknown)} else {not settled})"

    def _choice(self, node: Choice) -> str:
        question, name = self._held(node.condition)
        return f"(None if {question} is None else {self.write(node.yes)} if {name} else {self.write(node.no)})"

    def _held(self, node: Node) -> tuple[str, str]:
        """What works the node out, and the name under which its value is found from then on."""
        text = self.write(node)
        if isinstance(node, Signal | Window):
            return text, text
        fresh = self._temporary()
        return f"({fresh} := {text})", fresh

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"
