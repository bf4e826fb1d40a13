"""Reads an expression by the grammar of CEL, as far as docs/expressions.md has it. Of names it knows only functions."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction

from drivers.types import SourceId
from firmware.rules.expression.errors import BadExpression, shown
from firmware.rules.expression.tokens import Kind, Token, tokens
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
from firmware.rules.expression.windows import Function
from firmware.rules.names import nearest

MAX_HEIGHT = 32  # of the tree, and of brackets in brackets: far below what Python's own parser and stack bear
MAX_NODES = 200
MAX_WINDOWS = 16
SHORTEST_NS, LONGEST_NS = 10**9, 31 * 86_400 * 10**9  # of a window
NS = {"d": 86_400 * 10**9, "h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6}
LEAST_INT, MOST_INT = -(2**63), 2**63 - 1

COMPARING = ("<", "<=", ">", ">=", "==", "!=")
BINDING = {"||": 1, "&&": 2, **dict.fromkeys(COMPARING, 3), "in": 3, "+": 4, "-": 4, "*": 5, "/": 5}
"""How tightly a sign binds: the tightest is the highest. Alike ones go from left to right."""

FUNCTIONS = (*(each.value for each in Function), "amount")
SPELT = {"and": "&&", "or": "||", "not": "!", "is": "==", "AND": "&&", "OR": "||", "NOT": "!"}
EXAMPLE = "such as pm2_5 > 35.4"


def parse(text: str) -> Node:
    """Raises `BadExpression`, and nothing else for any text."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = next(self._tokens)
        self._nodes = 0
        self._windows = 0
        self._depth = 0

    def whole(self) -> Node:
        if self._ends():
            raise BadExpression(f"nothing is written here: write a condition, {EXAMPLE}", 0, len(self._text))
        found = self._expression()
        if not self._ends():
            raise self._unexpected("the end, or a sign such as > or &&")
        return found

    def _expression(self) -> Node:
        """A condition with `? :`, or anything that binds tighter."""
        self._deeper()
        found = self._binary(1)
        if self._skip("?"):
            yes = self._binary(1)
            self._expect(":", "and then what holds otherwise")
            no = self._expression()
            found = Choice(found.start, no.end, self._above(found, yes, no), found, yes, no)
        self._depth -= 1
        return found

    def _binary(self, loosest: int) -> Node:
        left = self._unary()
        while (binding := BINDING.get(self._sign(), 0)) >= loosest:
            sign = self._take().text
            left = self._membership(left) if sign == "in" else self._joined(sign, left, self._binary(binding + 1))
        return left

    def _joined(self, sign: str, left: Node, right: Node) -> Node:
        start, end = left.start, right.end
        if sign in COMPARING:
            return Comparison(start, end, self._above(left, right), sign, left, right)
        if sign not in ("&&", "||"):
            return Arithmetic(start, end, self._above(left, right), sign, left, right)
        before = left.parts if isinstance(left, Junction) and left.sign == sign else (left,)
        return Junction(start, end, self._above(*before, right), sign, (*before, right))

    def _membership(self, operand: Node) -> Node:
        self._expect("[", "such as in [1, 2, 3]")
        numbers = [self._number()]
        while self._skip(","):
            numbers.append(self._number())
        end = self._expect("]", "or a comma and a number").end
        return Membership(operand.start, end, self._above(operand), operand, tuple(numbers))

    def _unary(self) -> Node:
        sign = self._next
        if self._skip("!"):
            return self._one(Not, sign.start)
        if not self._skip("-"):
            return self._primary()
        if self._next.kind in (Kind.WHOLE, Kind.DECIMAL):
            return self._literal(self._take(), sign)
        return self._one(Negative, sign.start)

    def _one(self, kind: type[Not] | type[Negative], start: int) -> Node:
        self._deeper()
        operand = self._unary()
        self._depth -= 1
        return kind(start, operand.end, self._above(operand), operand)

    def _primary(self) -> Node:
        token = self._next
        match token.kind:
            case Kind.WHOLE | Kind.DECIMAL:
                return self._literal(self._take())
            case Kind.NAME if token.text in ("true", "false"):
                self._take()
                return Truth(token.start, token.end, self._above(), token.text == "true")
            case Kind.NAME:
                return self._named()
            case Kind.SIGN if self._skip("("):
                found = self._expression()
                end = self._expect(")", "to close the bracket").end
                return replace(found, start=token.start, end=end)
        raise self._unexpected("a signal, a number or a bracket")

    def _named(self) -> Node:
        name = self._next
        if name.text in SPELT or name.text == "in":
            raise self._unexpected("a signal, a number or a bracket")
        if name.text in FUNCTIONS:
            return self._call(self._take())
        found = self._signal()
        if self._sign() == "(":
            raise BadExpression(f"no function is named {name.text!r}{nearest(name.text, FUNCTIONS)}", *_place(name))
        return found

    def _signal(self) -> Signal:
        """`pm2_5`, or `of["duct-pm"].pm2_5`."""
        name = self._take()
        if name.kind is not Kind.NAME:
            raise self._unexpected("a signal", name)
        if name.text == "of":
            return self._signal_of_a_device(name)
        if self._sign() in (".", "["):
            raise BadExpression('a signal of one device is written of["duct-pm"].pm2_5', name.start, self._next.end)
        return Signal(name.start, name.end, self._above(), SignalRef(None, name.text))

    def _signal_of_a_device(self, of: Token) -> Signal:
        self._expect("[", 'and a device, such as of["duct-pm"].pm2_5')
        device = self._take()
        if device.kind is not Kind.STRING:
            raise self._unexpected('the name of a device in quotes, such as of["duct-pm"].pm2_5', device)
        self._expect("]", 'such as of["duct-pm"].pm2_5')
        self._expect(".", 'and a signal, such as of["duct-pm"].pm2_5')
        name = self._take()
        if name.kind is not Kind.NAME:
            raise self._unexpected("a signal", name)
        ref = SignalRef(SourceId(device.text[1:-1]), name.text)
        return Signal(of.start, name.end, self._above(), ref)

    def _call(self, function: Token) -> Node:
        usage = _usage(function.text)
        self._expect("(", usage)
        if function.text == "amount":
            return self._amount(function, usage)
        of = self._signal()
        duration_ns = 0
        if function.text != Function.AGE.value:
            self._expect(",", f"and a duration {usage}")
            duration_ns = self._duration(usage)
        end = self._expect(")", usage).end
        self._windows += 1
        if self._windows > MAX_WINDOWS:
            raise BadExpression(f"more than {MAX_WINDOWS} windows: make several rules of it", function.start, end)
        ref = WindowRef(Function(function.text), *of.ref, duration_ns)
        return Window(function.start, end, self._above(of), of, ref)

    def _amount(self, function: Token, usage: str) -> Number:
        number = self._number()
        self._expect(",", f"and a unit in quotes {usage}")
        unit = self._take()
        if unit.kind is not Kind.STRING:
            raise self._unexpected(f"a unit in quotes {usage}", unit)
        end = self._expect(")", usage).end
        return Number(function.start, end, self._above(), number.value, unit.text[1:-1])

    def _duration(self, usage: str) -> int:
        token = self._take()
        if token.kind is not Kind.DURATION:
            raise self._unexpected(f"a duration {usage}", token)
        parts = re.findall(r"([\d.]+)([a-z]+)", token.text)
        units = [unit for _, unit in parts]
        if units != [unit for unit in NS if unit in units]:
            raise BadExpression(f"{shown(token.text)}: write each unit once, the largest first: 1d12h", *_place(token))
        found = int(sum(Fraction(number) * NS[unit] for number, unit in parts))
        if not SHORTEST_NS <= found <= LONGEST_NS:
            raise BadExpression(f"{shown(token.text)}: a window is from 1s to 31d long", *_place(token))
        return found

    def _number(self) -> Number:
        """One as it is written, with its sign."""
        minus = self._next if self._sign() == "-" else None
        if minus is not None:
            self._take()
        token = self._take()
        if token.kind not in (Kind.WHOLE, Kind.DECIMAL):
            raise self._unexpected("a number", token)
        return self._literal(token, minus)

    def _literal(self, token: Token, minus: Token | None = None) -> Number:
        start = token.start if minus is None else minus.start
        sign = 1 if minus is None else -1
        if token.kind is Kind.DECIMAL:
            value: int | float = sign * float(token.text)
            fits = math.isfinite(value)
        else:
            value = sign * int(token.text)
            fits = LEAST_INT <= value <= MOST_INT
        if not fits:
            raise BadExpression(f"{shown(token.text)} is too large a number", start, token.end)
        return Number(start, token.end, self._above(), value)

    def _above(self, *parts: Node) -> int:
        """The height of a new node over `parts`. Raises `BadExpression` where the tree gets too high or too large."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            problem = f"more than {MAX_NODES} names, numbers and signs: make several rules of it"
            raise BadExpression(problem, 0, len(self._text))
        height = 1 + max((part.height for part in parts), default=0)
        if height > MAX_HEIGHT:
            raise self._too_deep(parts[0].start)
        return height

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_HEIGHT:
            raise self._too_deep(self._next.start)

    def _too_deep(self, start: int) -> BadExpression:
        return BadExpression(f"nested deeper than {MAX_HEIGHT}: make it simpler", start, len(self._text))

    def _ends(self) -> bool:
        return self._next.kind is Kind.END

    def _sign(self) -> str:
        """The next token where it is a sign, or the one word that joins like a sign."""
        return self._next.text if self._next.kind is Kind.SIGN or self._next.text == "in" else ""

    def _take(self) -> Token:
        token = self._next
        if token.kind is not Kind.END:
            self._next = next(self._tokens)
        return token

    def _skip(self, sign: str) -> bool:
        if self._sign() != sign:
            return False
        self._take()
        return True

    def _expect(self, sign: str, why: str) -> Token:
        if self._sign() != sign:
            raise self._unexpected(f"{sign} {why}")
        return self._take()

    def _unexpected(self, wanted: str, token: Token | None = None) -> BadExpression:
        token = token or self._next
        if token.kind is Kind.END:
            return BadExpression(f"expected {wanted}, but here it ends", *_place(token))
        if token.kind is Kind.NAME and token.text in SPELT:
            return BadExpression(f"{token.text!r} is written {SPELT[token.text]} here", *_place(token))
        return BadExpression(f"expected {wanted}, not {shown(token.text)}", *_place(token))


def _usage(function: str) -> str:
    if function == "amount":
        return 'as in amount(35.4, "ug/m3")'
    return "as in age(pm2_5)" if function == Function.AGE.value else f"as in {function}(pm2_5, 10m)"


def _place(token: Token) -> tuple[int, int]:
    return token.start, token.end
