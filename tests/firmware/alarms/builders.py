"""Alarms and moves with only the values that matter to a test."""

from __future__ import annotations

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.types import NO_EVIDENCE, AlarmId, AlarmRecord, Evidence, Severity, Transition

DUCT = SourceId("duct-pm")


def record(
    rule: str = "pm2_5_high",
    *,
    severity: Severity = Severity.HIGH,
    state: AlarmState = AlarmState.UNACKNOWLEDGED,
    value: float | None = 51.2,
    evidence: Evidence = NO_EVIDENCE,
) -> AlarmRecord:
    return AlarmRecord(
        alarm=AlarmId(rule, DUCT),
        signal="pm2_5",
        condition="pm2_5 above 35.4 ug/m3, on 10min, off 10min",
        fault=False,
        severity=severity,
        state=state,
        value=value,
        age_ns=7,
        evidence=evidence,
    )


def raised(rule: str = "pm2_5_high", *, seconds: float = 0) -> Transition:
    return Transition(
        alarm=AlarmId(rule, DUCT),
        before=AlarmState.NORMAL,
        event=AlarmEvent.RAISE,
        after=AlarmState.UNACKNOWLEDGED,
        at=Instant(round(seconds * NS_PER_S)),
        value=51.2,
        severity=Severity.HIGH,
        fault=False,
        reason="pm2_5 51.2 ug/m3 above 35.4 ug/m3 for 10min",
    )
