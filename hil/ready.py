"""The state that every test begins with: the board watches a clean duct, all devices are well, no alarm stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.bench import Bench
from hil.board import Board
from hil.rig.peers import CAMERAS
from hil.strategy import State
from tests.mosquitto import Received

READY_LIMIT_S = 120.0
TOPIC = "ductwatch/rig"
SENSORS = ("duct-gas", "duct-pm", "duct-pm-i2c")


@dataclass(frozen=True, slots=True)
class Ready:
    machine: Any
    bench: Bench
    board: Board

    def reach(self, limit_s: float) -> None:
        self.machine.transition(State.watching)
        self.bench.restore()
        mark = self.bench.messages.mark()
        self.command("reset")
        self.command("snapshot")
        for camera in CAMERAS:
            self.until_verdict(camera, "CLEAN", since=mark, limit_s=limit_s)
        for sensor in SENSORS:
            self.until_reading(sensor, since=mark, limit_s=limit_s)
        self.bench.messages.until_all(lambda messages: not standing(messages), limit_s, "alarms still stand")

    def command(self, name: str, **fields: str) -> None:
        """A command by MQTT; nobody waits for its reply."""
        self.bench.broker.send(f"{TOPIC}/command", json.dumps({"command": name, **fields}).encode())

    def mark(self) -> int:
        return self.bench.messages.mark()

    def until_verdict(self, camera: str, label: str, *, since: int, limit_s: float = 60.0) -> Received:
        return self._until(f"verdict/{camera}", lambda fields: fields["label"] == label, since, limit_s)

    def until_reading(self, sensor: str, *, since: int, limit_s: float = 60.0, **wanted: float) -> Received:
        """A good reading; `wanted` as `temperature=31.5`, met within 2 %."""

        def fits(fields: dict[str, Any]) -> bool:
            if fields["quality"] != "good":
                return False
            return not wanted or any(
                fields["quantity"] == name and abs(fields["value"] - value) <= 0.02 * abs(value)
                for name, value in wanted.items()
            )

        return self._until(f"reading/{sensor}", fits, since, limit_s)

    def until_alarm(self, rule: str, source: str, *, active: bool, since: int, limit_s: float = 90.0) -> Received:
        return self._until(f"alarm/{rule}/{source}", lambda fields: fields["active"] is active, since, limit_s)

    def until_health(self, source: str, condition: str, *, since: int, limit_s: float = 60.0) -> Received:
        def fits(fields: dict[str, Any]) -> bool:
            return fields.get("condition") == condition and fields["source"] == source

        return self._until("health", fits, since, limit_s)

    def until_report(self, *, since: int, limit_s: float = 30.0) -> dict[str, Any]:
        found = self._until("health", lambda fields: fields["type"] == "health_report", since, limit_s)
        figures: dict[str, Any] = found.fields["figures"]
        return figures

    def latencies_ms(self, *, since: int) -> list[float]:
        """Frame to verdict, of each verdict that came since."""
        verdicts = (message for message in self.bench.messages.since(since) if "/verdict/" in message.topic)
        return [float(message.fields["latency_ms"]) for message in verdicts]

    def _until(self, topic: str, fits: Callable[[dict[str, Any]], bool], since: int, limit_s: float) -> Received:
        whole = f"{TOPIC}/{topic}"
        return self.bench.messages.until(
            lambda message: message.topic == whole and fits(message.fields), since=since, limit_s=limit_s
        )


def standing(messages: list[Received]) -> set[str]:
    """Topics of alarms that are active after all these messages."""
    last = {
        message.topic: message.fields["active"] for message in messages if message.topic.startswith(f"{TOPIC}/alarm/")
    }
    return {topic for topic, active in last.items() if active}
