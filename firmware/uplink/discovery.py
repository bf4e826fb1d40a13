"""The board as Home Assistant finds it: one retained message that lists everything the board has. Pure.

Form: Home Assistant, MQTT integration, "Device discovery payload" (since 2024.11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drivers.types import Quantity, SourceId
from firmware.alarms.types import AlarmId
from firmware.uplink.wire import Topics, level
from model.types import Label

UNITS = {
    "Cel": "°C",
    "%RH": "%",
    "ug/m3": "µg/m³",
    "g/m2": "g/m²",
    "g/m2/d": "g/m²/d",
    "Ohm": "Ω",
    "By": "B",
    "1": None,
}
"""Home Assistant's words for units where they differ from SenML's; None is a plain number."""

DEVICE_CLASSES = {
    Quantity.TEMPERATURE: "temperature",
    Quantity.CPU_TEMPERATURE: "temperature",
    Quantity.HUMIDITY: "humidity",
    Quantity.PRESSURE: "pressure",
    Quantity.PM1: "pm1",
    Quantity.PM2_5: "pm25",
    Quantity.PM10: "pm10",
    Quantity.PM2_5_CORRECTED: "pm25",
    Quantity.AQI: "aqi",
    Quantity.DEW_POINT: "temperature",
    Quantity.DIFFERENTIAL_PRESSURE: "pressure",
    Quantity.DAYS_TO_LIMIT: "duration",
    Quantity.DAYS_TO_LIMIT_LOW: "duration",
    Quantity.DAYS_TO_LIMIT_HIGH: "duration",
    Quantity.RESIDENT: "data_size",
}


@dataclass(frozen=True, slots=True)
class Retained:
    """A message that the broker keeps for whoever comes later."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What is configured on this board."""

    cameras: Sequence[SourceId] = ()
    sensors: Mapping[SourceId, Sequence[Quantity]]
    alarms: Sequence[AlarmId] = ()


def announcement(equipment: Equipment, topics: Topics, *, version: str, prefix: str = "homeassistant") -> Retained:
    """The one discovery message of this board, for `<prefix>/device/<board>/config`."""
    components: dict[str, dict[str, Any]] = {}
    for camera in equipment.cameras:
        components |= _camera(topics, camera)
    for sensor, quantities in equipment.sensors.items():
        components |= {f"{sensor}_{one.signal}": _quantity(topics, sensor, one) for one in quantities}
    for alarm in equipment.alarms:
        components[f"alarm_{alarm.rule}_{alarm.source}"] = _alarm(topics, alarm)
    components["snapshot"] = _button(topics, "Snapshot now", "snapshot")
    components["reset"] = _button(topics, "Reset alarms", "reset")
    device = f"ductwatch_{topics.board}"
    for name, component in components.items():
        component["unique_id"] = f"{device}_{name}"
    payload = {
        "dev": {"ids": [device], "name": topics.board, "mf": "ductwatch", "mdl": "ductwatch board", "sw": version},
        "o": {"name": "ductwatch", "sw": version},
        "cmps": components,
        "availability_topic": topics.availability,
        "availability_template": "{{ 'online' if value == 'online' else 'offline' }}",
        "qos": 1,
    }
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Retained(f"{prefix}/device/{level(topics.board)}/config", text.encode())


def _camera(topics: Topics, camera: SourceId) -> dict[str, dict[str, Any]]:
    label = {
        "p": "sensor",
        "name": f"{camera} verdict",
        "device_class": "enum",
        "options": [label.value for label in Label],
        "state_topic": topics.verdict(camera),
        "value_template": "{{ value_json.label }}",
    }
    score = {
        "p": "sensor",
        "name": f"{camera} dirty score",
        "state_class": "measurement",
        "state_topic": topics.verdict(camera),
        "value_template": "{{ value_json.score }}",
    }
    deposit = {
        "p": "sensor",
        "name": f"{camera} estimated deposit",
        "state_class": "measurement",
        "unit_of_measurement": UNITS[Quantity.ESTIMATED_DEPOSIT.unit],
        "state_topic": topics.verdict(camera),
        "value_template": "{{ value_json.estimated_g_m2 }}",
        "json_attributes_topic": topics.verdict(camera),
    }
    return {
        f"{camera}_verdict": label,
        f"{camera}_dirty_score": score,
        f"{camera}_estimated_deposit": deposit,
    }


def _quantity(topics: Topics, sensor: SourceId, quantity: Quantity) -> dict[str, Any]:
    """A reading that is not good shows as unknown; one of another quantity renders empty, which is passed over."""
    value = "{{ value_json.value if value_json.quality == 'good' else none }}"
    component: dict[str, Any] = {
        "p": "sensor",
        "name": f"{sensor} {quantity.signal.replace('_', ' ')}",
        "state_class": "measurement",
        "state_topic": topics.reading(sensor),
        "value_template": f"{{% if value_json.quantity == '{quantity.signal}' %}}{value}{{% endif %}}",
    }
    if unit := UNITS.get(quantity.unit, quantity.unit):
        component["unit_of_measurement"] = unit
    if quantity in DEVICE_CLASSES:
        component["device_class"] = DEVICE_CLASSES[quantity]
    return component


def _alarm(topics: Topics, alarm: AlarmId) -> dict[str, Any]:
    return {
        "p": "binary_sensor",
        "name": f"{alarm.rule.replace('_', ' ')} {alarm.source}",
        "device_class": "problem",
        "state_topic": topics.alarm(alarm.rule, alarm.source),
        "value_template": "{{ 'ON' if value_json.active else 'OFF' }}",
        "json_attributes_topic": topics.alarm(alarm.rule, alarm.source),
    }


def _button(topics: Topics, name: str, command: str) -> dict[str, Any]:
    return {
        "p": "button",
        "name": name,
        "command_topic": topics.command,
        "payload_press": json.dumps({"command": command}),
    }
