from __future__ import annotations

import pytest

from drivers.types import SourceId
from firmware.alarms.outputs import Following, Until, outputs_on
from firmware.alarms.states import AlarmState
from firmware.alarms.types import Severity
from tests.firmware.alarms.builders import record

RELAY, LAMP, BUZZER = SourceId("relay"), SourceId("lamp"), SourceId("buzzer")
SEVERE = frozenset({Severity.HIGH, Severity.CRITICAL})
OUTPUTS = (
    Following(output=RELAY, severities=SEVERE),
    Following(output=LAMP, severities=frozenset(Severity)),
    Following(output=BUZZER, severities=SEVERE, until=Until.SEEN),
)


@pytest.mark.parametrize(
    ("state", "severity", "on"),
    [
        (AlarmState.NORMAL, Severity.HIGH, set()),
        (AlarmState.UNACKNOWLEDGED, Severity.HIGH, {RELAY, LAMP, BUZZER}),
        (AlarmState.UNACKNOWLEDGED, Severity.LOW, {LAMP}),
        (AlarmState.ACKNOWLEDGED, Severity.HIGH, {RELAY, LAMP}),
        (AlarmState.RETURNED_UNACKNOWLEDGED, Severity.HIGH, {BUZZER}),
        (AlarmState.LATCHED_UNACKNOWLEDGED, Severity.CRITICAL, {RELAY, LAMP, BUZZER}),
        (AlarmState.LATCHED_ACKNOWLEDGED, Severity.CRITICAL, {RELAY, LAMP}),
    ],
    ids=lambda value: value.value if isinstance(value, AlarmState | Severity) else "",
)
def test_outputs_follow_one_alarm(state: AlarmState, severity: Severity, on: set[SourceId]) -> None:
    assert outputs_on(OUTPUTS, [record(state=state, severity=severity)]) == on


def test_the_worst_alarm_decides() -> None:
    alarms = [record("a", state=AlarmState.ACKNOWLEDGED), record("b", severity=Severity.LOW)]

    assert outputs_on(OUTPUTS, alarms) == {RELAY, LAMP}


def test_without_alarms_everything_is_off() -> None:
    assert outputs_on(OUTPUTS, []) == frozenset()
