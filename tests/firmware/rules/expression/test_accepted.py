from __future__ import annotations

from typing import Any

import cel
import pytest

from drivers.types import SourceId
from firmware.rules.expression.compile import compile_rule
from firmware.rules.expression.tree import SignalRef, WindowRef
from firmware.rules.expression.windows import Function
from tests.firmware.rules.builders import ns
from tests.firmware.rules.expression.expressions import ACCEPTED, BOARD, DEVICES, OUTSIDE, Outside, answer


def in_cel(text: str) -> Any:
    context = cel.Context({**BOARD, "of": DEVICES})
    context.add_function("amount", lambda number, _: number)
    return cel.evaluate(text, context)


@pytest.mark.parametrize(("text", "expected"), ACCEPTED, ids=[text for text, _ in ACCEPTED])
def test_what_is_accepted_is_answered_as_in_cel(text: str, expected: bool) -> None:
    assert answer(compile_rule(text)) is expected
    assert in_cel(text) is expected


@pytest.mark.parametrize("row", OUTSIDE, ids=[row.text for row in OUTSIDE])
def test_what_is_not_as_in_cel_is_so_for_a_reason(row: Outside) -> None:
    assert answer(compile_rule(row.text)) is row.ours
    if isinstance(row.cel, bool):
        assert in_cel(row.text) is row.cel
    else:
        with pytest.raises(row.cel):
            in_cel(row.text)


def test_values_come_in_the_order_of_the_text_signals_first() -> None:
    condition = compile_rule(
        'avg(pm10, 1h30m) > 3.0 && pm2_5 > of["a"].pm2_5 && max(pm2_5, 30s) > pm2_5 && age(pm4) < 9.0'
    )

    of_a = SignalRef(SourceId("a"), "pm2_5")
    any_pm2_5, any_pm10, any_pm4 = (SignalRef(None, name) for name in ("pm2_5", "pm10", "pm4"))
    assert condition.signals == (any_pm2_5, of_a)
    assert condition.windows == (
        WindowRef(Function.AVG, None, "pm10", ns(5400)),
        WindowRef(Function.MAX, None, "pm2_5", ns(30)),
        WindowRef(Function.AGE, None, "pm4", 0),
    )
    assert condition.mentioned == (any_pm10, any_pm2_5, of_a, any_pm4)
    assert condition.ask([2.0, 1.0, 4.0, 3.0, 8.0]) is True
    assert condition.ask([2.0, 1.0, 4.0, 1.0, 8.0]) is False


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1s", 1),
        ("1500ms", 1.5),
        ("10m", 600),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("1d2h3m4s5ms", 93_784.005),
        ("31d", 2_678_400),
    ],
)
def test_how_long_a_window_is(written: str, seconds: float) -> None:
    (window,) = compile_rule(f"avg(pm2_5, {written}) > 3.0").windows

    assert window.duration_ns == ns(seconds)


def test_conditions_of_one_text_are_equal() -> None:
    assert compile_rule("pm2_5 > 3.0") == compile_rule("pm2_5 > 3.0")
    assert compile_rule("pm2_5 > 3.0") != compile_rule("pm2_5 > 4.0")


def test_a_signal_written_twice_is_one_value() -> None:
    assert compile_rule("pm2_5 > 3.0 && pm2_5 < 5.0").ask([4.0]) is True


@pytest.mark.parametrize("values", [[], [1.0, 2.0]])
def test_too_few_or_too_many_values_are_no_answer(values: list[float]) -> None:
    with pytest.raises(ValueError, match="unpack"):
        compile_rule("pm2_5 > 3.0").ask(values)
