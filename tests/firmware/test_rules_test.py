"""`ductwatch rules test`, as whoever writes rules uses it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from firmware.rules.parse import parse
from tests.firmware.test_cli import ductwatch

pytestmark = pytest.mark.real

RULES = """[[rule]]
name = "warm"
signal = "temperature"
above = "40 Cel"
severity = "low"
reference = "test"
annotations = { cause = "sun", consequence = "heat", action = "shade" }
"""
TEST = """rules = "rules.toml"
[[test]]
name = "noon"
every = "1min"
series = { "duct-gas.temperature" = "20x5 45x5" }
expect = [
  { at = "4min", alarm = "warm/duct-gas", state = "normal" },
  { at = "5min", alarm = "warm/duct-gas", state = "unacknowledged" },
]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "rules.toml").write_text(RULES)
    path = tmp_path / "rules_test.toml"
    path.write_text(TEST)
    return path


def test_tests_that_pass_say_so(file: Path) -> None:
    done = ductwatch("rules", "test", str(file))

    assert (done.returncode, done.stdout, done.stderr) == (0, "passed  noon\n1 tests, 0 failed\n", "")


def test_a_failure_has_its_line_and_what_happened(file: Path) -> None:
    file.write_text(TEST.replace('at = "4min"', 'at = "6min"'))

    done = ductwatch("rules", "test", str(file))

    assert done.returncode == 1
    assert "FAILED  noon" in done.stdout
    moved = "0:05:00 raise: temperature 45 Cel above 40 Cel"
    said = f"{file}:7: warm/duct-gas is unacknowledged at 0:06:00, not normal; before that {moved}"
    assert done.stderr.strip() == said


def test_other_rules_can_be_put_to_the_same_test_and_a_program_can_read_the_outcome(file: Path, tmp_path: Path) -> None:
    (tmp_path / "colder.toml").write_text(RULES.replace("40 Cel", "10 Cel"))

    done = ductwatch("rules", "test", str(file), "--rules", str(tmp_path / "colder.toml"), "--json")

    told = json.loads(done.stdout)
    assert (done.returncode, [test["passed"] for test in told["tests"]]) == (1, [False])
    assert "is unacknowledged at 0:04:00, not normal" in told["tests"][0]["failures"][0]


@pytest.mark.parametrize(
    ("wrong", "right", "problem"),
    [
        ('temperature" =', 'temprature" =', "5: no signal is named 'temprature': did you mean 'temperature'?"),
        ('"duct-gas.temp', '"temp', "5: temperature: write whose it is, such as"),
        ("20x5", "20y5", "5: duct-gas.temperature: '20y5': write 10x30"),
        ('"1min"', '"0s"', "4: every: must be more than nothing"),
        ('state = "normal"', 'state = "norml"', "7: state: no alarm is 'norml': did you mean 'normal'?"),
        ('alarm = "warm/duct-gas", state = "normal"', 'alarm = "warm", state = "normal"', "7: 'warm' is no alarm"),
        ('alarm = "warm/duct-gas", state = "n', 'alarm = "wrm/duct-gas", state = "n', "7: no rule is named 'wrm'"),
        ('at = "4min"', 'at = "41d"', "7: at: a test lasts at most 40d"),
        ("[[test]]", "[[tests]]", "2: unknown key 'tests'"),
        ("name = ", "nam = ", "3: unknown key 'nam'"),
        ("expect = [", 'do = [{ at = "1s" }]\nexpect = [', "6: write one of acknowledge, reset"),
        (
            "expect = [",
            'do = [{ at = "1s", shelve = "warm/duct-gas", for = "8d" }]\nexpect = [',
            "6: for: must be more than nothing and at most 7d",
        ),
        ('rules = "rules.toml"', "rules = 3", "1: rules: write the path"),
        ('"rules.toml"', '"gone.toml"', "gone.toml: cannot be read"),
        (TEST, "", "1: no test in it"),
    ],
)
def test_what_is_no_test_is_refused_with_its_line(file: Path, wrong: str, right: str, problem: str) -> None:
    assert wrong in TEST
    file.write_text(TEST.replace(wrong, right, 1))

    done = ductwatch("rules", "test", str(file))

    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr


def test_the_rules_that_ship_pass_the_tests_that_ship() -> None:
    done = ductwatch("rules", "test")

    assert done.returncode == 0, done.stderr


def test_each_rule_that_ships_is_raised_by_a_test_and_ended_by_one() -> None:
    folder = resources.files("firmware.rules")
    tests = folder.joinpath("default_test.toml").read_text(encoding="utf-8")
    for rule in parse(folder.joinpath("default.toml").read_text(encoding="utf-8"), "default.toml"):
        expected = [line for line in tests.splitlines() if f'alarm = "{rule.name}/' in line]
        assert any('state = "unacknowledged"' in line for line in expected), rule.name
        ends = 'state = "latched_' if rule.latch else 'state = "returned_'
        assert any(ends in line for line in expected), rule.name
