"""The rules that every board has: what raises each of them, what does not, and what ends it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import pytest

from drivers.types import SourceId
from firmware.alarms.states import ACTIVE, AlarmState
from firmware.alarms.types import Transition
from firmware.rules.engine import RuleEngine
from firmware.rules.parse import parse
from firmware.rules.types import Sample
from tests.firmware.rules.builders import MINUTE, alarm, at

SOURCE = SourceId("source")
TEXT = resources.files("firmware.rules").joinpath("default.toml").read_text(encoding="utf-8")
RULES = {rule.name: rule for rule in parse(TEXT, "default.toml")}


def story(name: str, values: Sequence[float | None], every_s: float) -> tuple[list[Transition], AlarmState]:
    """Samples of the rule's signal, a tick each second between them; the moves of the rule's own alarm."""
    engine = RuleEngine(RULES.values(), now=at(0))
    moves: list[Transition] = []
    for index, value in enumerate(values):
        moves += engine.feed(Sample(SOURCE, RULES[name].signal, value, at(index * every_s)))
        for second in range(1, round(every_s) + 1):
            moves += engine.tick(at(index * every_s + second))
    own = [move for move in moves if move.alarm == alarm(name, SOURCE)]
    return own, own[-1].after if own else AlarmState.NORMAL


A_QUARTER, HALF_A_MINUTE, A_MINUTE = 15.0, 30.0, MINUTE

Stories = dict[str, tuple[Sequence[float | None], float]]

RAISED: Stories = {
    "dirty_duct": ([0.9, 0.2, None, 0.8, 0.75], A_MINUTE),
    "pm2_5_high": ([35.5] * 21, HALF_A_MINUTE),
    "pm2_5_very_high": ([126.0] * 11, HALF_A_MINUTE),
    "device_dead": ([1, 0], A_MINUTE),
    "camera_blind": ([1, 0, 1, 1], A_MINUTE),
    "camera_moved": ([0, 1, None, 1, 1], A_MINUTE),
    "cameras_disagree": ([1, 1, 0, 1, 1, 0, 1, 1], A_MINUTE),
    "latency_budget_missed": ([0.02] * 3, A_MINUTE),
    "disk_nearly_full": ([91] * 3, A_MINUTE),
    "memory_nearly_full": ([91] * 5, A_MINUTE),
    "cpu_hot": ([80.5] * 5, A_MINUTE),
    "clock_not_synchronised": ([0] * 30, A_MINUTE),
    "condensation": ([0.9] * 16, A_MINUTE),
    "filter_load_high": ([91] * 60, 10.0),
    "gas_index_high": ([201] * 30, 10.0),
    "cleaning_due": ([29.9], A_MINUTE),
}
NOT_RAISED: Stories = {
    "dirty_duct": ([0.9, 0.2, 0.9, 0.65, 0.3, None, None], A_MINUTE),
    "pm2_5_high": ([35.5] * 19 + [35.4] + [35.5] * 19, HALF_A_MINUTE),
    "pm2_5_very_high": ([126.0] * 9 + [None] * 20, HALF_A_MINUTE),
    "device_dead": ([1, 0, 1, 0, 1], A_QUARTER),
    "camera_blind": ([1, 0, 1, 0, 0, 1], A_MINUTE),
    "camera_moved": ([0, 1, 1, 0, 0, 1], A_MINUTE),
    "cameras_disagree": ([0, 1, 1, 1, 1, 1, 0, 0, 0, 1], A_MINUTE),
    "latency_budget_missed": ([0.02, 0.01, 0.02, 0.02], A_MINUTE),
    "disk_nearly_full": ([91, 91, 90, 91, 91], A_MINUTE),
    "memory_nearly_full": ([91] * 4 + [90] + [91] * 4, A_MINUTE),
    "cpu_hot": ([81] * 4 + [79] + [81] * 4, A_MINUTE),
    "clock_not_synchronised": ([0] * 29 + [1], A_MINUTE),
    "condensation": ([0.9] * 14 + [1.0] + [0.9] * 14, A_MINUTE),
    "filter_load_high": ([91] * 59 + [90] + [91] * 59, 10.0),
    "gas_index_high": ([201] * 29 + [200] + [None] * 60, 10.0),
    "cleaning_due": ([30], A_MINUTE),
}
ENDED: Stories = {
    "dirty_duct": ([0.9] * 3 + [0.3] * 3, A_MINUTE),
    "pm2_5_high": ([50.0] * 21 + [25.4] * 21, HALF_A_MINUTE),
    "pm2_5_very_high": ([150.0] * 11 + [100.0] * 21, HALF_A_MINUTE),
    "device_dead": ([0, 0, 0, 1], A_QUARTER),
    "camera_blind": ([1] * 3 + [0] * 3, A_MINUTE),
    "camera_moved": ([1] * 3 + [0] * 3, A_MINUTE),
    "cameras_disagree": ([1] * 6 + [0] * 6, A_MINUTE),
    "latency_budget_missed": ([0.02] * 3 + [0.0] * 3, A_MINUTE),
    "disk_nearly_full": ([91] * 3 + [85] * 3, A_MINUTE),
    "memory_nearly_full": ([91] * 5 + [85] * 5, A_MINUTE),
    "cpu_hot": ([81] * 5 + [70] * 5, A_MINUTE),
    "clock_not_synchronised": ([0] * 30 + [1] * 3, A_MINUTE),
    "condensation": ([0.9] * 16 + [2.0] * 16, A_MINUTE),
    "filter_load_high": ([91] * 60 + [80] * 60, 10.0),
    "gas_index_high": ([201] * 30 + [150] * 30, 10.0),
    "cleaning_due": ([29, 45], A_MINUTE),
}


@pytest.mark.parametrize("name", RULES)
def test_what_raises_it(name: str) -> None:
    moves, state = story(name, *RAISED[name])

    assert (len(moves), state) == (1, AlarmState.UNACKNOWLEDGED)


@pytest.mark.parametrize("name", RULES)
def test_what_does_not_raise_it(name: str) -> None:
    assert story(name, *NOT_RAISED[name]) == ([], AlarmState.NORMAL)


@pytest.mark.parametrize("name", RULES)
def test_what_ends_it(name: str) -> None:
    moves, state = story(name, *ENDED[name])

    assert len(moves) == 2
    assert state is (AlarmState.LATCHED_UNACKNOWLEDGED if RULES[name].latch else AlarmState.RETURNED_UNACKNOWLEDGED)
    assert (state in ACTIVE) is RULES[name].latch


@pytest.mark.parametrize("name", RULES)
def test_it_tells_cause_consequence_action_and_where_its_limit_comes_from(name: str) -> None:
    rule = RULES[name]
    annotations = rule.annotations

    for words in (annotations.cause, annotations.consequence, annotations.action, rule.reference):
        assert len(words) > 40
        assert words.endswith((".", ")"))
        assert "\n" not in words


def test_a_particulate_sensor_that_falls_silent_is_a_fault_after_half_an_hour() -> None:
    engine = RuleEngine(RULES.values(), now=at(0))
    engine.feed(Sample(SOURCE, "pm2_5", 12.0, at(0)))

    assert not engine.tick(at(30 * MINUTE - 1))
    assert [str(move.alarm) for move in engine.tick(at(30 * MINUTE))] == ["pm2_5_fault/source"]
