"""What the messages of the board say of its state."""

from __future__ import annotations

from tests.mosquitto import Received

TOPIC = "ductwatch/rig"
SENSOR_PERIOD_S = 2.0  # of rig.toml
LAST_MESSAGES = 400  # some thirty seconds of a board that is well
ALIVE = "alive"  # what the board says of a device each time it reports its health, in the device's name
# How far what arrives may be from what a sensor was given, in the quantity's own unit: its resolution, and rounding.
TOLERANCES = {
    "temperature": 0.1,
    "humidity": 0.5,
    "pressure": 0.5,
    "gas_resistance": 500.0,
    "pm2_5": 0,
    "fan_running": 0,
}


def standing(messages: list[Received]) -> set[str]:
    """Topics of alarms that are active after all these messages; not the clock's, as the bench has no time server."""
    alarms = [message for message in messages if message.topic.startswith(f"{TOPIC}/alarm/")]
    last = {message.topic: message.fields["active"] for message in alarms}
    return {topic for topic, active in last.items() if active and "/clock_not_synchronised/" not in topic}


def shelved(messages: list[Received]) -> set[tuple[str, str]]:
    """Rule and source of alarms that are shelved after all these messages."""
    alarms = [message.fields for message in messages if message.topic.startswith(f"{TOPIC}/alarm/")]
    last = {(fields["rule"], fields["source"]): fields["withheld"] for fields in alarms}
    return {name for name, withheld in last.items() if "shelved" in withheld}


def is_late(message: Received) -> bool:
    """Whether it waited on the board for a connection."""
    return b'"historical":true' in message.payload


def is_well(sensor: str, messages: list[Received]) -> bool:
    """Whether the last that was heard of a sensor is a good reading of this start, at most two periods old."""
    own = [
        m
        for m in reversed(messages)
        if m.topic.startswith((f"{TOPIC}/reading/", f"{TOPIC}/verdict/", f"{TOPIC}/health"))
    ]
    of_it = [m for m in own if m.fields["source"] == sensor and m.fields.get("quantity") != ALIVE]
    if not of_it or not of_it[0].topic.endswith(f"/reading/{sensor}"):
        return False
    newest, last = own[0].fields, of_it[0].fields
    is_new = last["boot_id"] == newest["boot_id"] and newest["at_s"] - last["at_s"] < 2 * SENSOR_PERIOD_S
    return bool(is_new and last["quality"] == "good")
