from __future__ import annotations

import pytest

from drivers.types import SourceId
from firmware.rules.expression.compile import compile_rule
from firmware.rules.expression.errors import BadExpression
from firmware.rules.expression.parse import MAX_HEIGHT, MAX_NODES, MAX_WINDOWS
from firmware.rules.expression.tokens import MAX_TEXT

SOURCES = {SourceId("duct-pm"), SourceId("supply-cam")}
NO_NUMBER = (
    "is neither a number, such as 35 or 35.4, nor a duration, such as 10m, 1h30m or 30s; a unit is written as in "
)

REFUSED = [
    # what is marked ^ is where it is wrong
    ("^", "nothing is written here: write a condition, such as pm2_5 > 35.4"),
    ("^   // pm2_5 > 3^", "nothing is written here: write a condition, such as pm2_5 > 35.4"),
    ("pm2_5 ^=^ 3.0", "a single = means nothing here: write == to compare"),
    ("pm2_5 > 3.0 ^&^ true", "write && for and"),
    ("pm2_5 > 3.0 ^|^ true", "write || for or"),
    ("humidity > 70^%^", 'no % here: percent is a unit, such as amount(70.0, "%RH"), and remainders are left out'),
    ("pm2_5 > 3.0 ^;^", "the character ';' has no place here"),
    ("pm2_5 > 3.0 ^\u00a0^", "the character '\\xa0' has no place here"),
    ('of[^"^duct-pm].pm2_5 > 3.0', "text that begins here must end on its line, without a backslash in it"),
    ("pm2_5 > ^35.4ug^", f"'35.4ug' {NO_NUMBER}amount(35.4, \"ug/m3\")"),
    ("pm2_5 > ^35.^", f"'35.' {NO_NUMBER}amount(35.4, \"ug/m3\")"),
    ("pm2_5 > ^0x1F^", f"'0x1F' {NO_NUMBER}amount(35.4, \"ug/m3\")"),
    ("pm2_5 > ^35u^", f"'35u' {NO_NUMBER}amount(35.4, \"ug/m3\")"),
    ("avg(pm2_5, ^10min^) > 3.0", f"'10min' {NO_NUMBER}amount(35.4, \"ug/m3\")"),
    ("pm2_5 > ^1e999^", "'1e999' is too large a number"),
    ("restarts > ^9223372036854775808^", "'9223372036854775808' is too large a number"),
    ("pm2_5 > ^10m^", "expected a signal, a number or a bracket, not '10m'"),
    ("pm2_5 > ^'high'^", "expected a signal, a number or a bracket, not \"'high'\""),
    ("pm2_5 ^and^ pm10", "'and' is written && here"),
    ("^not^ (pm2_5 > 3.0)", "'not' is written ! here"),
    ("pm2_5 > 3.0 ^pm10^", "expected the end, or a sign such as > or &&, not 'pm10'"),
    ("pm2_5 > 3.0^)^", "expected the end, or a sign such as > or &&, not ')'"),
    ("(pm2_5 > 3.0^^", "expected ) to close the bracket, but here it ends"),
    ("pm2_5 >^^", "expected a signal, a number or a bracket, but here it ends"),
    ("pm2_5 > ^>^ 3.0", "expected a signal, a number or a bracket, not '>'"),
    ("pm2_5 > 3.0 ? true^^", "expected : and then what holds otherwise, but here it ends"),
    ("pm2_5 in ^3^", "expected [ such as in [1, 2, 3], not '3'"),
    ("pm2_5 in [^]^", "expected a number, not ']'"),
    ("pm2_5 in [1 ^2^]", "expected ] or a comma and a number, not '2'"),
    ("pm2_5 in [^pm10^]", "expected a number, not 'pm10'"),
    ("^[^1] == pm2_5", "expected a signal, a number or a bracket, not '['"),
    ("^pm25^ > 3.0", "no signal is named 'pm25' (did you mean 'pm2_5'?)"),
    ("^null^ == pm2_5", "no signal is named 'null'"),
    ("duct-^pm.^pm2_5 > 3.0", 'a signal of one device is written of["duct-pm"].pm2_5'),
    ("^pm2_5[^0] > 3.0", 'a signal of one device is written of["duct-pm"].pm2_5'),
    ('^of["duct-pn"].pm2_5^ > 3.0', "no device is named 'duct-pn' (did you mean 'duct-pm'?)"),
    ('^of[""].pm2_5^ > 3.0', "no device is named ''"),
    ('of["duct-pm"].^pm25^ > 3.0', "no signal is named 'pm25' (did you mean 'pm2_5'?)"),
    ("of[^3^].pm2_5 > 3.0", "expected the name of a device in quotes, such as of[\"duct-pm\"].pm2_5, not '3'"),
    ('of["duct-pm"] ^>^ 3.0', "expected . and a signal, such as of[\"duct-pm\"].pm2_5, not '>'"),
    ('of["duct-pm"]. ^3^ > 3.0', "expected a signal, not '3'"),
    ("^avrg^(pm2_5, 10m) > 3.0", "no function is named 'avrg' (did you mean 'avg'?)"),
    ("avg ^>^ 3.0", "expected ( as in avg(pm2_5, 10m), not '>'"),
    ("avg(pm2_5^)^ > 3.0", "expected , and a duration as in avg(pm2_5, 10m), not ')'"),
    ("avg(pm2_5, ^10^) > 3.0", "expected a duration as in avg(pm2_5, 10m), not '10'"),
    ("avg(pm2_5, 10m^,^ 3) > 3.0", "expected ) as in avg(pm2_5, 10m), not ','"),
    ("avg(pm2_5 ^+^ 1.0, 10m) > 3.0", "expected , and a duration as in avg(pm2_5, 10m), not '+'"),
    ("avg(^3.0^, 10m) > 3.0", "expected a signal, not '3.0'"),
    ("age(pm2_5^,^ 10m) > 3.0", "expected ) as in age(pm2_5), not ','"),
    ("avg(pm2_5, ^30m1h^) > 3.0", "'30m1h': write each unit once, the largest first: 1d12h"),
    ("avg(pm2_5, ^1h1h^) > 3.0", "'1h1h': write each unit once, the largest first: 1d12h"),
    ("avg(pm2_5, ^999ms^) > 3.0", "'999ms': a window is from 1s to 31d long"),
    ("avg(pm2_5, ^31d1ms^) > 3.0", "'31d1ms': a window is from 1s to 31d long"),
    ('pm2_5 > amount(^pm10^, "ug/m3")', "expected a number, not 'pm10'"),
    ("pm2_5 > amount(35.4^)^", "expected , and a unit in quotes as in amount(35.4, \"ug/m3\"), not ')'"),
    ("pm2_5 > amount(35.4, ^ug^/m3)", "expected a unit in quotes as in amount(35.4, \"ug/m3\"), not 'ug'"),
    ('pm2_5 > ^amount(35.4, "ug m3")^', "'ug m3' is not a unit, such as ug/m3, %RH or Cel/h"),
    (
        '^pm2_5 > amount(35.4, "mg/m3")^',
        "'pm2_5' is in ug/m3, 'amount(35.4, \"mg/m3\")' in mg/m3: they cannot be compared",
    ),
    ("^pm2_5 > humidity^", "'pm2_5' is in ug/m3, 'humidity' in %RH: they cannot be compared"),
    (
        "^(pm2_5 + 1.0) > humidity / 2.0^",
        "'(pm2_5 + 1.0)' is in ug/m3, 'humidity / 2.0' in %RH: they cannot be compared",
    ),
    ("^pm2_5 + humidity^ > 3.0", "'pm2_5' is in ug/m3, 'humidity' in %RH: they cannot be added"),
    ("^pm2_5 - dirty_score^ > 3.0", "'pm2_5' is in ug/m3, 'dirty_score' in 1: they cannot be subtracted"),
    ("^pm2_5 * pm10 > pm1^", "'pm2_5 * pm10' is in ug.ug/m3/m3, 'pm1' in ug/m3: they cannot be compared"),
    ("^1.0 / pm2_5 > pm1^", "'1.0 / pm2_5' is in m3/ug, 'pm1' in ug/m3: they cannot be compared"),
    (
        "pm1 > (true ? ^pm2_5 : humidity^)",
        "'pm2_5' is in ug/m3, 'humidity' in %RH: they cannot be chosen between",
    ),
    (
        "^rate(pm2_5, 1h) > stddev(pm2_5, 1h)^",
        "'rate(pm2_5, 1h)' is in ug/m3/h, 'stddev(pm2_5, 1h)' in ug/m3: they cannot be compared",
    ),
    ("^age(pm2_5) > count(pm2_5, 1h)^", "'age(pm2_5)' is in s, 'count(pm2_5, 1h)' in 1: they cannot be compared"),
    ("^humidity > 120^", "'humidity' is from 0 to 100 %RH: this would always be false"),
    ("^humidity >= 0.0^", "'humidity' is from 0 to 100 %RH: this would always be true"),
    ("pm1 > 3.0 || ^100 >= avg(humidity, 1h)^", "'avg(humidity, 1h)' is from 0 to 100 %RH: this would always be true"),
    ("^pm2_5 < 0.0^", "'pm2_5' is 0 ug/m3 or more: this would always be false"),
    ("^temperature <= -300.0^", "'temperature' is -273.15 Cel or more: this would always be false"),
    ("^dirty_score != 80.0^", "'dirty_score' is from 0 to 1: this would always be true"),
    ("^dirty_score > 40.0 + 40.0^", "'dirty_score' is from 0 to 1: this would always be false"),
    ("fan_running in [0, 1, ^2^]", "'fan_running' is from 0 to 1: this would always be false"),
    ("^count(pm2_5, 1h) < 0^", "'count(pm2_5, 1h)' is 0 or more: this would always be false"),
    ("^stddev(temperature, 1h) >= 0.0^", "'stddev(temperature, 1h)' is 0 Cel or more: this would always be true"),
    ("pm2_5 * ^2^ > 3.0", "'2' is a whole number and the other is not, and CEL does not mix them: write 2.0"),
    (
        "^(1 + 2)^ - pm2_5 > 3.0",
        "'(1 + 2)' is a whole number and the other is not, and CEL does not mix them: write 3.0",
    ),
    (
        'pm2_5 - ^amount(2, "ug/m3")^ > 3.0',
        "'amount(2, \"ug/m3\")' is a whole number and the other is not, and CEL does not mix them: write 2.0",
    ),
    ("pm2_5 > (true ? ^1^ : 2.0)", "'1' is a whole number and the other is not, and CEL does not mix them: write 1.0"),
    ("^pm2_5 / 0.0^ > 3.0", "nothing can be divided by zero"),
    ("pm2_5 > ^1 / (2 - 2)^", "nothing can be divided by zero"),
    ("pm2_5 > ^1e308 * 10.0^", "'1e308 * 10.0' is too large a number"),
    ("restarts > ^9223372036854775807 + 1^", "'9223372036854775807 + 1' is too large a number"),
    ("restarts > ^-(-9223372036854775808)^", "'-(-9223372036854775808)' is too large a number"),
    ("^pm2_5 + 1.0^", "a rule is true or false, and 'pm2_5 + 1.0' is a number: compare it"),
    ("!^pm2_5^", "! turns true and false around, and 'pm2_5' is a number: compare it"),
    ("^pm2_5^ && true", "&& joins what is true or false, and 'pm2_5' is a number: compare it"),
    ("^pm2_5^ ? true : false", "what stands before ? is true or false, and 'pm2_5' is a number: compare it"),
    ("^(pm2_5 > 3.0)^ + 1.0 > 3.0", "+ wants numbers, and '(pm2_5 > 3.0)' is true or false"),
    ("-^(pm2_5 > 3.0)^ > 3.0", "- wants a number, and '(pm2_5 > 3.0)' is true or false"),
    ("^true^ in [1]", "in looks for a number in a list, and 'true' is true or false"),
    ("^1.0 < pm2_5 < 35.0^", "comparisons do not chain: write them apart, such as 1.0 < pm2_5 && pm2_5 < 35.0"),
    ("^pm2_5 == true^", "'true' is true or false, and 'pm2_5' is a number"),
    ("^true != pm2_5^", "'true' is true or false, and 'pm2_5' is a number"),
    ("^(pm2_5 > 3.0) < true^", "< compares numbers; what is true or false can be == or !="),
    ("pm1 > 3.0 && (true ? ^true : pm2_5^)", "on both sides of : must be numbers, or what is true or false"),
    ("^true || 1 > 2^", "no signal is named: it would always be the same"),
    (f"pm2_5 > 3.0{' ' * (MAX_TEXT - 11)}^ ^", f"longer than {MAX_TEXT} characters: make several rules of it"),
    ("(" * MAX_HEIGHT + f"^({'1' * 9}^", f"nested deeper than {MAX_HEIGHT}: make it simpler"),
    (f"^pm2_5{' + 1.0' * MAX_HEIGHT} > 3.0^", f"nested deeper than {MAX_HEIGHT}: make it simpler"),
    (
        f"^{' || '.join(['pm2_5 > 3.0'] * 60)}^",
        f"more than {MAX_NODES} names, numbers and signs: make several rules of it",
    ),
    (
        f"{' || '.join(['age(pm2_5) > 3.0'] * MAX_WINDOWS)} || ^age(pm2_5)^ > 3.0",
        f"more than {MAX_WINDOWS} windows: make several rules of it",
    ),
]


@pytest.mark.parametrize(("marked", "problem"), REFUSED, ids=[marked[:60] for marked, _ in REFUSED])
def test_what_cannot_be_meant_is_refused_with_its_place(marked: str, problem: str) -> None:
    before, _, rest = marked.partition("^")
    wrong, _, after = rest.partition("^")

    with pytest.raises(BadExpression) as refused:
        compile_rule(before + wrong + after, sources=SOURCES)

    assert refused.value.problem == problem
    assert (refused.value.start, refused.value.end) == (len(before), len(before) + len(wrong))
    assert str(refused.value) == f"column {len(before) + 1}: {problem}"
