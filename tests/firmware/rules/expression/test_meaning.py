"""What an expression says, tried on thousands drawn at random, and on the table of three values."""

from __future__ import annotations

import re
from typing import Any

import cel
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from drivers.types import Quantity
from firmware.rules.expression.check import check
from firmware.rules.expression.compile import Condition, compile_rule
from firmware.rules.expression.errors import BadExpression
from firmware.rules.expression.generate import source
from firmware.rules.expression.parse import parse
from firmware.rules.expression.tree import leaves
from firmware.rules.names import SIGNALS
from tests.firmware.rules.expression import trees
from tests.firmware.rules.expression.trees import Drawn, Values

FAIR = ("no signal is named", "divided by zero", "too large", "nested deeper", "more than 200", "this would always be")
SOURCE = re.compile(
    r"def ask\(values\):\n (v\d+, )+= values\n return "
    r"(?:(?:True|False|None|if|else|or|is|in|not|[vt]\d+|\d+(?:\.\d+)?(?:e[+-]?\d+)?|:=|[<>=!]=|//|[-+*/<>(), ]))+\n"
)
often = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))

numbers = st.one_of(st.sampled_from([0.0, -0.0, 0.5, 1.0, 2.0, -3.25, 1e300, -1e300, 5e-324]), st.floats(-200, 200))
known = st.fixed_dictionaries(dict.fromkeys(trees.SIGNALS, numbers))
values = st.fixed_dictionaries(dict.fromkeys(trees.SIGNALS, st.one_of(st.none(), numbers)))


def compiled(drawn: Drawn) -> Condition:
    try:
        return compile_rule(drawn.text)
    except BadExpression as bad:
        if not any(fair in bad.problem for fair in FAIR):
            raise
        reject()


def asked(condition: Condition, of: Values) -> bool | None:
    return condition.ask([of[ref.signal] for ref in condition.signals])


@often
@given(trees.trees(), values)
def test_the_answer_is_that_of_a_plain_interpreter(drawn: Drawn, of: Values) -> None:
    assert asked(compiled(drawn), of) is drawn.meaning(of)


@often
@given(trees.trees(), known)
def test_the_answer_is_that_of_cel_where_all_is_known(drawn: Drawn, of: dict[str, Any]) -> None:
    answer = asked(compiled(drawn), of)

    assert answer is None or answer is cel.evaluate(drawn.text, of)


@often
@given(trees.trees(), values, known)
def test_what_is_learned_later_never_changes_an_answer(drawn: Drawn, of: Values, later: Values) -> None:
    condition = compiled(drawn)

    before = asked(condition, of)

    assert (
        before is None
        or asked(condition, {name: later[name] if of[name] is None else of[name] for name in of}) is before
    )


@often
@given(trees.trees())
def test_nothing_but_numbers_and_our_own_words_is_in_the_source(drawn: Drawn) -> None:
    compiled(drawn)
    root = check(parse(drawn.text), drawn.text, quantities=SIGNALS)

    written = source(root, {leaf.ref: place for place, leaf in enumerate(leaves(root))})

    assert SOURCE.fullmatch(written)


UNKNOWN = "pm1 > 3.0"
TABLE = [
    ("true && unknown", None),
    ("false && unknown", False),
    ("unknown && false", False),
    ("unknown && unknown", None),
    ("true || unknown", True),
    ("unknown || true", True),
    ("false || unknown", None),
    ("unknown || unknown", None),
    ("!unknown", None),
    ("unknown == unknown", None),
    ("unknown != true", None),
    ("unknown ? true : true", None),
    ("true ? true : unknown", True),
    ("true ? unknown : true", None),
    ("false ? unknown : true", True),
    ("pm1 + 1.0 > 0.5", None),
    ("-pm1 < 1.0", None),
    ("pm1 * 0.0 == 0.0", None),
    ("pm1 == pm1", None),
    ("pm1 in [1, 2]", None),
    ("pm1 / 2.0 in [1, 2]", None),
    ("avg(pm1, 10m) > 3.0", None),
]


@pytest.mark.parametrize(("said", "expected"), TABLE, ids=[said for said, _ in TABLE])
def test_what_is_unknown_stays_so_unless_it_does_not_matter(said: str, expected: bool | None) -> None:
    text = said.replace("unknown", f"({UNKNOWN})")

    assert compile_rule(text if "pm1" in text else f"{text} || {UNKNOWN}").ask([None]) is expected


@pytest.mark.parametrize("quantity", Quantity)
def test_every_signal_can_be_asked_for(quantity: Quantity) -> None:
    condition = compile_rule(f'{quantity.signal} > amount(0.5, "{quantity.unit}")')

    assert [condition.ask([value]) for value in (0.4, 0.6, None)] == [False, True, None]
