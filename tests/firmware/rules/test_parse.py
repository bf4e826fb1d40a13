from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.types import SourceId
from firmware.alarms.types import Severity
from firmware.rules.conditions import AT_ONCE, Agreed, Limit, Side
from firmware.rules.parse import MAX_PROBLEMS, BadRules, parse
from firmware.rules.types import Annotations, Rule
from tests.firmware.rules.builders import held, ns

FULL = """\
[[rule]]
name = "pm2_5_high"
signal = "duct-pm.pm2_5"
above = "35.4 ug/m3"
deadband = "5 ug/m3"
on_delay = "10min"
off_delay = "3 of 4"
latch = true
severity = "high"
tolerance = "5min"
labels = { zone = "kitchen" }
reference = "US EPA, May 2024"
[rule.annotations]
cause = "dust"
consequence = "bad air"
action = "change the filter"
"""
SOURCES = {SourceId("duct-pm"), SourceId("supply-cam")}


def test_a_rule_with_every_key() -> None:
    assert parse(FULL, "rules.toml", sources=SOURCES) == (
        Rule(
            name="pm2_5_high",
            signal="pm2_5",
            source=SourceId("duct-pm"),
            limit=Limit(Side.ABOVE, 35.4, 5.0),
            unit="ug/m3",
            on_delay=held(600),
            off_delay=Agreed(3, 4),
            latch=True,
            severity=Severity.HIGH,
            tolerance_ns=ns(300),
            labels={"zone": "kitchen"},
            annotations=Annotations(cause="dust", consequence="bad air", action="change the filter"),
            reference="US EPA, May 2024",
        ),
    )


def test_a_rule_with_only_what_it_needs() -> None:
    text = """
        [[rule]]
        name = "device_dead"
        signal = "alive"
        below = 0.5
        severity = "low"
        reference = "site"
        annotations = { cause = "a", consequence = "b", action = "c" }
    """

    (rule,) = parse(text, "rules.toml")

    assert (rule.source, rule.limit, rule.unit) == (None, Limit(Side.BELOW, 0.5, 0.0), "1")
    assert (rule.on_delay, rule.off_delay, rule.latch, rule.tolerance_ns) == (AT_ONCE, AT_ONCE, False, None)


REFUSED = [
    ('name = "pm2_5_high"', 'name = "PM high"', "2: name: 'PM high': use a-z, 0-9 and _"),
    ('name = "pm2_5_high"', 'name = "pm_fault"', "2: name: 'pm_fault': names in _fault are those of unknown"),
    ("duct-pm.pm2_5", "duct-pm.pm25", "3: signal: no signal is named 'pm25' (did you mean 'pm2_5'?)"),
    ("duct-pm.pm2_5", "duct-pn.pm2_5", "3: signal: no device is named 'duct-pn' (did you mean 'duct-pm'?)"),
    ("duct-pm.pm2_5", ".pm2_5", "3: signal: no device is named ''"),
    ('"duct-pm.pm2_5"', "5", "3: signal: 5: write the name of a signal in quotes"),
    ("35.4 ug/m3", "35.4 mg/m3", "4: above: '35.4 mg/m3' is in mg/m3, but pm2_5 is in ug/m3"),
    ("35.4 ug/m3", "35.4", "4: above: '35.4' is without a unit, but pm2_5 is in ug/m3, such as \"35 ug/m3\""),
    ('"35.4 ug/m3"', "35.4", '4: above: 35.4 has no unit: pm2_5 is in ug/m3, such as "35 ug/m3"'),
    ("35.4 ug/m3", "much", "4: above: 'much' is not a number with its unit"),
    ('"35.4 ug/m3"', "nan", "4: above: nan has no unit"),
    ("35.4 ug/m3", "35.4 ug/m3 ug/m3", "4: above: '35.4 ug/m3 ug/m3' is not a number with its unit"),
    ('above = "35.4 ug/m3"\n', "", "1: no limit: add above or below"),
    ('deadband = "5 ug/m3"', 'below = "5 ug/m3"', "5: above and below exclude each other"),
    ("5 ug/m3", "-5 ug/m3", "5: deadband: '-5 ug/m3' is negative"),
    ("5 ug/m3", "36 ug/m3", "4: above: the alarm would end at -0.6 ug/m3, where pm2_5 never is"),
    ('above = "35.4 ug/m3"', 'below = "0 ug/m3"', "4: below: pm2_5 is never below 0 ug/m3: no alarm could come"),
    ("10min", "10 minutes", "6: on_delay: '10 minutes' is not a duration"),
    ("10min", "9999999d", "6: on_delay: '9999999d' is longer than a year"),
    ("10min", "9" * 400 + "d", "6: on_delay: '9999"),
    ("3 of 4", "5 of 4", "7: off_delay: '5 of 4': write \"n of m\" with n from 1 to m"),
    ("3 of 4", "3 of 99", "7: off_delay: '3 of 99': write"),
    ("latch = true", 'latch = "yes"', "8: latch: 'yes': write true or false, without quotes"),
    ('"high"', '"hihg"', "9: severity: 'hihg' (did you mean 'high'?); severities are low, medium, high, critical"),
    ('"high"', "[]", "9: severity: a value of type list; severities are"),
    ('tolerance = "5min"\n', "", "6: on_delay: a time asks how long one value of pm2_5 stands: add tolerance"),
    ('"5min"', '"0s"', "10: tolerance: no signal is known without a break"),
    ('{ zone = "kitchen" }', "{ zone = 7 }", "11: labels: write some words in quotes"),
    ('{ zone = "kitchen" }', '"kitchen"', "11: labels: write at most 20 labels"),
    ('"US EPA, May 2024"', '""', "12: reference: write some words in quotes"),
    ('"US EPA, May 2024"', f'"{"long" * 999}"', "12: reference: 3996 characters are too many"),
    ('reference = "US EPA, May 2024"\n', "", "1: reference is missing: add it"),
    ('action = "change the filter"', "", "13: annotations.action is missing: add it"),
    ('action = "change', 'acton = "change', "16: unknown key 'acton' (did you mean 'action'?)"),
    ('action = "change the filter"', 'action = ""', "16: annotations.action: write some words in quotes"),
    ("[rule.annotations]", "[[rule.annotations]]", "13: annotations: write [rule.annotations]"),
    ("on_delay", "on_dealy", "6: unknown key 'on_dealy' (did you mean 'on_delay'?)"),
    ("[[rule]]", "[[rules]]", "1: 'rules' has no place here: write [[rule]]"),
    ("[[rule]]", "[rule]", "1: write [[rule]] with double brackets"),
    ('name = "pm2_5_high"', 'name = "pm2_5_high', "2: not TOML: "),
]


@pytest.mark.parametrize(("written", "instead", "told"), REFUSED, ids=[row[2] for row in REFUSED])
def test_what_cannot_be_meant_is_refused_with_its_line(written: str, instead: str, told: str) -> None:
    assert written in FULL

    with pytest.raises(BadRules) as refused:
        parse(FULL.replace(written, instead, 1), "rules.toml", sources=SOURCES)

    assert str(refused.value).startswith(f"rules.toml:{told}")


@pytest.mark.parametrize(
    ("signal", "limit", "told"),
    [
        ("dirty_score", "above = 1.0", "above: dirty_score is never above 1"),
        ("alive", "below = 0.5\ndeadband = 0.6", "below: the alarm would end at 1.1, where alive never is"),
        ("humidity", 'above = "100 %RH"', "above: humidity is never above 100 %RH"),
        ("temperature", 'below = "-273.15 Cel"', "below: temperature is never below -273.15 Cel"),
        ("dirty_score", 'above = "80 %"', "above: '80 %' is in %, but dirty_score is in a plain number, such as 0.5"),
        ("restarts", "above = 0xffffffffffffffffffff", "above: a value of type int is no value of restarts"),
        ("budget_missed", "above = inf", "above: inf is no value of budget_missed"),
        ("budget_missed", "above = true", "above: True is not a number with its unit"),
    ],
)
def test_limits_that_a_signal_cannot_cross_are_refused(signal: str, limit: str, told: str) -> None:
    with pytest.raises(BadRules) as refused:
        parse(minimal("a", signal=signal, limit=limit), "rules.toml")

    assert told in str(refused.value)


@pytest.mark.parametrize("limit", ["above = 0.5", 'above = "0.5"', "above = 0.5\ndeadband = 0.5"])
def test_shares_are_plain_numbers(limit: str) -> None:
    (rule,) = parse(minimal("a", signal="dirty_score", limit=limit), "rules.toml")

    assert rule.limit.value == 0.5


def test_each_bad_rule_is_told_in_one_go() -> None:
    text = minimal("a", limit="abve = 1") + minimal("b") + minimal("c", signal="alife") + minimal("b")

    with pytest.raises(BadRules) as refused:
        parse(text, "rules.toml")

    assert str(refused.value).splitlines() == [
        "rules.toml:4: unknown key 'abve' (did you mean 'above'?)",
        "rules.toml:17: signal: no signal is named 'alife' (did you mean 'alive'?)",
        "rules.toml:23: two rules are named 'b': give each its own name",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(lambda: "x = " + "[" * 100_000, "1: not TOML: ", id="nested without end"),
        pytest.param(lambda: "rule = [1]", "1: a rule is a table", id="a number for a rule"),
        pytest.param(lambda: "[[rule]]\n" * 6_000, "5001: more than 5000 rules", id="too many rules"),
        pytest.param(lambda: "#" * 1_000_001, "1: longer than 1000000 characters", id="too long a text"),
        pytest.param(lambda: "\n\nx = " + "9" * 5_000, "1: not TOML: ", id="a number too long for Python"),
        pytest.param(lambda: "[other]", "1: 'other' has no place here: write [[rule]]", id="another table"),
    ],
)
def test_a_hostile_file_is_refused_in_bounded_time(text: Callable[[], str], told: str) -> None:
    with pytest.raises(BadRules) as refused:
        parse(text(), "rules.toml")

    assert str(refused.value).startswith(f"rules.toml:{told}")
    assert len(str(refused.value)) < 400


def test_no_more_problems_are_told_than_one_can_read() -> None:
    with pytest.raises(BadRules) as refused:
        parse("[[rule]]\n" * 100, "rules.toml")

    assert len(str(refused.value).splitlines()) == MAX_PROBLEMS


def test_an_empty_file_has_no_rules() -> None:
    assert parse("# nothing yet\n", "rules.toml") == ()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            'when = "pm2_5 > 35.0 && humidty > 70.0"',
            "4:25: when: no signal is named 'humidty' (did you mean 'humidity'?)",
        ),
        ("when = 'pm2_5 > humidity'", "4:9: when: 'pm2_5' is in ug/m3, 'humidity' in %RH: they cannot be compared"),
        ('when = """\npm2_5 > 35.0 &&\n  humidity > 170.0"""', "6:3: when: 'humidity' is from 0 to 100 %RH"),
        ('when = "pm2_5 > 35.0 \\u0026& x"', "4: when: no signal is named 'x'"),
        ('when = "pm2_5 > 35.0"\nabove = 1', "5: above has no place beside when"),
        ("when = 5", "4: when: write an expression in quotes"),
        ('when = "true"', "4:9: when: no signal is named: it would always be the same"),
        ('when = "pm2_5 > 35.0"\non_delay = "5min"', "5: on_delay: a time asks how long one value of pm2_5 stands"),
        ('when = "pm2_5 > 35.0"\nsuppress_when = "fan_runing == 0.0"', "5:18: suppress_when: no signal is named"),
        ("when = \"of['duct-pn'].pm2_5 > 35.0\"", "did you mean 'duct-pm'?"),
        ("above = 5", "2: signal is missing: add it, with above or below; or when ="),
    ],
)
def test_an_expression_that_cannot_be_meant_is_refused_with_line_and_column(keys: str, told: str) -> None:
    text = f"""
[[rule]]
name = "a"
{keys}
severity = "low"
reference = "test"
annotations = {{ cause = "a", consequence = "b", action = "c" }}
"""
    with pytest.raises(BadRules) as refused:
        parse(text, "rules.toml", sources={SourceId("duct-pm")})

    assert told in str(refused.value)


def test_a_rule_with_an_expression_is_about_its_first_signal() -> None:
    text = minimal("a").replace('signal = "alive"', "").replace("below = 0.5", "when = 'of[\"duct-pm\"].pm2_5 > 35.0'")

    (rule,) = parse(text, "rules.toml")

    assert (rule.source, rule.signal, rule.unit) == ("duct-pm", "pm2_5", "ug/m3")
    assert rule.condition == 'of["duct-pm"].pm2_5 > 35.0, on 0s, off 0s'


def minimal(name: str, *, signal: str = "alive", limit: str = "below = 0.5") -> str:
    return f"""[[rule]]
name = "{name}"
signal = "{signal}"
{limit}
severity = "low"
reference = "site"
annotations = {{ cause = "a", consequence = "b", action = "c" }}
"""
