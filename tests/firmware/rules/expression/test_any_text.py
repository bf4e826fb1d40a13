"""No text does anything but be compiled or be refused, and none takes long or much of Python's stack."""

from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.rules.expression.compile import Condition, compile_rule
from firmware.rules.expression.errors import BadExpression
from firmware.rules.expression.parse import MAX_HEIGHT, MAX_NODES
from firmware.rules.expression.tokens import MAX_TEXT

steadily = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
PIECES = [
    *("pm2_5", "pm10", "humidity", "of", '["duct-pm"]', ".", '"', "'", "in", "[", "]", "[1, 2.0]", "true", "false"),
    *("avg", "max", "age", "amount", "(", ")", "(pm2_5, 10m)", "(pm2_5)", '(3.0, "ug/m3")', ",", "10m", "1h30m", "//"),
    *(
        "+",
        "-",
        "*",
        "/",
        "<",
        "<=",
        ">",
        ">=",
        "==",
        "!=",
        "&&",
        "||",
        "!",
        "?",
        ":",
        "0",
        "1",
        "2.5",
        "1e308",
        "9" * 19,
    ),
    *(
        "\n",
        " ",
        "__class__",
        "import",
        "lambda",
        "\0",
        "\ud800",
        "ß",
        "٣",
        "{",
        "}",
        "%",
        "\\",
        ";",
        "@",
        "values",
        "v0",
    ),
]
texts = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join),
)


def compiled(text: str) -> Condition | None:
    try:
        return compile_rule(text)
    except BadExpression as error:
        bad = error
    assert 0 <= bad.start <= bad.end <= len(text)
    assert bad.problem
    return None


@settings(steadily, max_examples=1_000)
@given(texts)
def test_any_text_is_compiled_or_refused(text: str) -> None:
    condition = compiled(text)

    if condition is not None:
        unknown = [None] * (len(condition.signals) + len(condition.windows))
        assert condition.ask(unknown) in (True, False, None)


FULL = [
    *(
        "(",
        "!",
        "-",
        "[",
        "in [",
        "1+",
        "a.",
        "of[",
        "avg(",
        "amount(",
        "true?",
        "true?true:",
        "1<",
        "!(",
        "-(",
        "(pm1+",
    ),
    *(
        "1m",
        "1.",
        "9",
        "1e",
        "ms",
        '"',
        "'",
        '"x"',
        "//",
        "\n",
        " ",
        "\0",
        "0.1s",
        "pm1||",
        "true&&",
        "a=",
        "pm1,",
        "e",
    ),
]


@pytest.mark.parametrize("piece", FULL)
@pytest.mark.parametrize("begun", ["", "pm1 > ", "avg(pm1, ", "pm1 in ["])
def test_a_text_as_long_as_may_be_is_looked_through_at_once(begun: str, piece: str) -> None:
    room = MAX_TEXT - len(begun)

    assert compiled(begun + (piece * room)[:room]) is None


def nested(begin: str, end: str, times: int) -> str:
    return begin * times + "pm1 > 3.0" + end * times


DEEPEST = [
    nested("(", ")", MAX_HEIGHT - 1),
    "!" * (MAX_HEIGHT - 3) + "(pm1 > 3.0)",
    "pm1 > " + "-(2.0 * " * 14 + "pm1" + ")" * 14,
    "2.0 / (3.0 + " * 14 + "pm1 / pm1" + ")" * 14 + " > 1.0",
    "pm1 > " + " + ".join(["pm1"] * (MAX_HEIGHT - 1)),
    nested("pm1 > 1.0 || pm1 > 2.0 && (", ")", 14),
    nested("pm1 > 1.0 ? pm1 > 2.0 : ", "", 28),
    nested("(pm1 > 1.0 ? ", " : false)", 28),
    nested("(", " ? pm1 > 1.0 : false)", 28),
    " || ".join(["pm1 > 3.0"] * (MAX_NODES // 4)),
    "pm1 in [" + ", ".join(["3.0"] * (MAX_NODES - 2)) + "]",
]


@pytest.mark.parametrize("text", DEEPEST, ids=[text[:40] for text in DEEPEST])
def test_the_largest_that_are_accepted_need_less_than_half_of_pythons_stack(text: str) -> None:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(_depth() + usual // 2)
    try:
        condition = compile_rule(text)
        answers = [condition.ask([value]) for value in (None, 2.5)]
    finally:
        sys.setrecursionlimit(usual)

    assert answers[0] is None
    assert isinstance(answers[1], bool | None)


def _depth() -> int:
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1  # type: ignore[assignment]
    return depth
