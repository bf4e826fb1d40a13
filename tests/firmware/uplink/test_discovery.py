"""The board as Home Assistant finds it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drivers.types import Quantity, SourceId
from firmware.alarms.types import AlarmId
from firmware.uplink.discovery import Equipment, announcement
from tests.firmware.uplink.builders import TOPICS

EQUIPMENT = Equipment(
    cameras=[SourceId("upstream")],
    sensors={SourceId("duct-pm"): [Quantity.PM2_5], SourceId("fan"): [Quantity.FAN_RUNNING]},
    alarms=[AlarmId("duct_dirty", SourceId("upstream"))],
)


def announced() -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(announcement(EQUIPMENT, TOPICS, version="1.2.3").payload)
    return payload


def test_everything_on_the_board_is_one_device_with_one_message() -> None:
    assert announcement(EQUIPMENT, TOPICS, version="1.2.3").topic == "homeassistant/device/duct/config"
    assert announced()["dev"]["ids"] == ["ductwatch_duct"]
    assert announced()["o"] == {"name": "ductwatch", "sw": "1.2.3"}
    assert list(announced()["cmps"]) == [
        "upstream_verdict",
        "upstream_dirty_score",
        "upstream_estimated_deposit",
        "duct-pm_pm2_5",
        "fan_fan_running",
        "alarm_duct_dirty_upstream",
        "snapshot",
        "reset",
    ]


def test_each_part_has_a_platform_a_name_and_an_id_of_its_own() -> None:
    parts = announced()["cmps"].values()

    assert {part["p"] for part in parts} == {"sensor", "binary_sensor", "button"}
    assert len({part["unique_id"] for part in parts}) == len({part["name"] for part in parts}) == len(parts)


def test_a_stopped_board_shows_as_unavailable_too() -> None:
    assert announced()["availability_topic"] == "ductwatch/duct/availability"
    assert announced()["availability_template"] == "{{ 'online' if value == 'online' else 'offline' }}"


def test_a_quantity_has_home_assistants_word_for_its_unit() -> None:
    pm, fan = announced()["cmps"]["duct-pm_pm2_5"], announced()["cmps"]["fan_fan_running"]

    assert (pm["unit_of_measurement"], pm["device_class"], pm["state_class"]) == ("µg/m³", "pm25", "measurement")
    assert pm["state_topic"] == TOPICS.reading("duct-pm")
    assert "value_json.quantity == 'pm2_5'" in pm["value_template"]
    assert "unit_of_measurement" not in fan


@pytest.mark.parametrize(
    ("quantity", "unit", "device_class"),
    [
        (Quantity.AQI, None, "aqi"),
        (Quantity.DEW_POINT, "°C", "temperature"),
        (Quantity.CONDENSATION_MARGIN, "K", None),  # a difference: as a temperature it would be shown 273 too low
        (Quantity.DIRT_RATE, "g/m²/d", None),
        (Quantity.DAYS_TO_LIMIT, "d", "duration"),
        (Quantity.DIFFERENTIAL_PRESSURE, "Pa", "pressure"),
    ],
)
def test_what_was_derived_is_announced_as_what_was_measured(
    quantity: Quantity, unit: str | None, device_class: str | None
) -> None:
    source = SourceId("duct-gas")
    payload = announcement(Equipment(sensors={source: [quantity]}), TOPICS, version="1").payload
    part = json.loads(payload)["cmps"][f"{source}_{quantity.signal}"]

    assert (part.get("unit_of_measurement"), part.get("device_class")) == (unit, device_class)


def test_an_estimated_deposit_comes_with_its_interval_and_classes() -> None:
    deposit = announced()["cmps"]["upstream_estimated_deposit"]

    assert (deposit["unit_of_measurement"], deposit["state_topic"]) == ("g/m²", TOPICS.verdict("upstream"))
    assert deposit["value_template"] == "{{ value_json.estimated_g_m2 }}"
    assert deposit["json_attributes_topic"] == deposit["state_topic"]


def test_a_button_sends_a_command_that_the_board_understands() -> None:
    button = announced()["cmps"]["snapshot"]

    assert button["command_topic"] == TOPICS.command
    assert json.loads(button["payload_press"]) == {"command": "snapshot"}
