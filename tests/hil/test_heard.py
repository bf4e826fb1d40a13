"""A sensor is well by what was heard of it last."""

from __future__ import annotations

import json

import pytest

from hil.heard import LAST_MESSAGES, SENSOR_PERIOD_S, is_well
from tests.mosquitto import Received

GAS = "duct-gas"


def heard(topic: str, *, at_s: float, boot: str = "b", **fields: str) -> Received:
    whole = {"source": topic.rpartition("/")[2], "boot_id": boot, "at_s": at_s, "quality": "good", **fields}
    return Received(f"ductwatch/rig/{topic}", json.dumps(whole).encode(), retained=False)


READING = heard(f"reading/{GAS}", at_s=10.0)
NOISE = [Received("ductwatch/rig/availability", b"online", retained=True), heard("command", at_s=0.0)]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([], True),
        ([heard("verdict/upstream", at_s=10.0 + SENSOR_PERIOD_S)], True),
        ([heard("verdict/upstream", at_s=10.0 + 2 * SENSOR_PERIOD_S)], False),
        ([heard("verdict/upstream", at_s=11.0, boot="c")], False),
        ([heard("health", at_s=11.0, source=GAS)], False),
        ([heard("health", at_s=11.0, source="board")], True),
        ([heard(f"reading/{GAS}", at_s=11.0, quality="bad")], False),
        ([heard("health", at_s=11.0, source=GAS), heard(f"reading/{GAS}", at_s=12.0, quantity="alive")], False),
    ],
    ids=["just now", "a period ago", "two periods ago", "before a start", "failed", "another failed", "bad", "alive"],
)
def test_a_sensor_is_well_by_what_was_heard_last(later: list[Received], expected: bool) -> None:
    assert is_well(GAS, [*NOISE, READING, *later, *NOISE]) is expected


def test_a_sensor_that_was_not_heard_of_is_not_well() -> None:
    assert not is_well(GAS, [heard("reading/duct-pm", at_s=1.0)] * LAST_MESSAGES)
