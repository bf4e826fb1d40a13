"""What the page shows of the broker's messages: the last verdict, the last value, the alarms that stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hil.play.seen import MOST_STANDING, Seen
from tests.mosquitto import Received


def event(kind: str, source: str, **fields: Any) -> Received:
    return Received(f"ductwatch/rig/{kind}", json.dumps({"type": kind, "source": source, **fields}).encode(), False)


def alarm(after: str, *, active: bool) -> Received:
    return event("alarm", "upstream", rule="dirty_duct", severity="high", after=after, active=active, reason="dirt")


def noted(*messages: Received) -> Seen:
    seen = Seen()
    for at_s, message in enumerate(messages):
        seen.note(message, float(at_s))
    return seen


def test_the_last_verdict_of_each_camera_is_shown_with_its_age() -> None:
    seen = noted(
        event("verdict", "upstream", label="CLEAN", score=0.1),
        event("verdict", "downstream", label="CLEAN", score=0.1),
        event("verdict", "upstream", label="DIRTY", score=0.9),
    )
    verdicts = seen.told(now_s=5.0)["verdicts"]

    assert {name: it["label"] for name, it in verdicts.items()} == {"upstream": "DIRTY", "downstream": "CLEAN"}
    assert verdicts["upstream"]["age_s"] == 3.0


def test_each_quantity_of_a_sensor_is_shown_once() -> None:
    seen = noted(
        event("reading", "duct-gas", quantity="temperature", value=20.0),
        event("reading", "duct-gas", quantity="humidity", value=40.0),
        event("reading", "duct-gas", quantity="temperature", value=21.0),
    )

    assert [it["value"] for it in seen.told(0.0)["readings"]] == [40.0, 21.0]


@pytest.mark.parametrize(
    ("last", "stands"),
    [
        (alarm("unacknowledged", active=True), True),
        (alarm("returned", active=False), True),
        (alarm("normal", active=False), False),
    ],
    ids=["active", "gone, but seen by nobody", "gone"],
)
def test_an_alarm_stands_until_it_is_over_for_people_too(last: Received, *, stands: bool) -> None:
    seen = noted(alarm("unacknowledged", active=True), last)

    assert bool(seen.told(0.0)["alarms"]) is stands


def test_a_device_that_recovered_is_no_failure_any_more() -> None:
    failed = event("health_change", "duct-gas", condition="failed", problem="no answer", remedy="check the cable")

    assert [it["problem"] for it in noted(failed).told(0.0)["failures"]] == ["no answer"]
    assert noted(failed, event("health_change", "duct-gas", condition="recovered")).told(0.0)["failures"] == []


def test_a_verdict_that_waited_on_the_board_does_not_count_as_watching_now() -> None:
    assert noted(event("verdict", "upstream", label="CLEAN", historical=True)).verdict_at_s is None
    assert noted(event("verdict", "upstream", label="CLEAN")).verdict_at_s == 0.0


@pytest.mark.parametrize("payload", [b"", b"no JSON", b"[]", b"7", b"{}", b'{"type": "picture"}', b"\xff"])
def test_what_is_no_event_is_passed_over(payload: bytes) -> None:
    told = noted(Received("some/topic", payload, False)).told(0.0)

    assert not any(told.values())


def test_a_board_that_invents_devices_does_not_fill_the_page() -> None:
    seen = noted(*(event("verdict", f"camera-{number}", label="CLEAN") for number in range(MOST_STANDING + 5)))

    assert len(seen.verdicts) == MOST_STANDING
