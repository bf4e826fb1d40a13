"""The state that every test begins with: the board watches a clean duct, all devices are well, no alarm stands."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hil.bench import Bench, now_ns
from hil.board import POLL_S, Board
from hil.delivery import WINDOW, check_delivery, missing, numbered, repeated
from hil.heard import ALIVE, LAST_MESSAGES, TOLERANCES, TOPIC, is_late, is_well, shelved, standing
from hil.rig.lines import Edge, Line
from hil.rig.peers import CAMERAS
from hil.strategy import State
from tests.mosquitto import Received

READY_LIMIT_S = 120.0
PRESS_S = 0.5
PAUSE_S = 1.2  # a snapshot that waits for the one before lights the duct within 0.4 s, emulated


@dataclass(slots=True)
class Ready:
    machine: Any
    bench: Bench
    board: Board
    started_at: int = 0  # a mark from before the board's start, where a test is about that

    def reach(self, limit_s: float) -> None:
        """Raises AssertionError that says what is still wrong after `limit_s`."""
        self.machine.transition(State.watching)
        self.bench.restore()
        for rule, source in shelved(self.bench.messages.since(0)):
            self.command("unshelve", rule=rule, source=source)
        until_s = time.monotonic() + limit_s
        while True:
            mark = self.mark()
            self.command("snapshot")
            came = [self.until_any_verdict(camera, since=mark)["label"] for camera in CAMERAS]
            for sensor in self.bench.sensors:
                if not is_well(sensor, self.bench.messages.since(-LAST_MESSAGES)):
                    self.until_reading(sensor, since=mark, limit_s=limit_s)
            alarms = standing(self.bench.messages.since(0))
            if came == ["CLEAN"] * len(CAMERAS) and not alarms:
                return
            assert time.monotonic() < until_s, f"the duct is {came}, and there stand {sorted(alarms)}"
            self.command("reset")

    def snapshot(self, label: str) -> None:
        """Take one now, and wait until both cameras' verdicts are this."""
        mark = self.mark()
        self.command("snapshot")
        for camera in CAMERAS:
            self.until_verdict(camera, label, since=mark)

    def pause_after_snapshot(self) -> None:
        """Return soon after a snapshot that no other follows: one that was asked for would have lit the duct again."""
        self.board.until(lambda: PAUSE_S < self._dark_s() < PAUSE_S + 2 * POLL_S, "a pause after a snapshot", 60)

    def raise_dirty(self, camera: str, *, since: int) -> None:
        """Take snapshots until the alarm is raised: it takes 3 of 4."""
        for _ in range(3):
            mark = self.mark()
            self.command("snapshot")
            self.until_any_verdict(camera, since=mark)
        self.until_alarm("dirty_duct", camera, active=True, since=since)

    def until_snapshots(self, count: int, limit_s: float = 120.0) -> None:
        """Wait for so many more snapshots, by the light that the host sees: the board may have no other way to say."""
        self._until_lights(True, count, now_ns(), limit_s)

    def press_for_snapshots(self, count: int) -> None:
        """Press the button so often, each time until a light has gone out again: the board heeds it without a broker.

        A snapshot by the clock in between may make it one less.
        """
        for _ in range(count):
            since_ns = now_ns()
            self.bench.lines.press(Line.BUTTON, PRESS_S)
            self._until_lights(False, 1, since_ns, 30)

    def lights(self, on: bool, *, since_ns: int) -> list[Edge]:
        """When the light came on, or went out, as the host sees it."""
        edges = self.bench.lines.edges
        return [edge for edge in edges if edge.line == Line.LED and edge.level == on and edge.at_ns > since_ns]

    def until_caught_up(self, *, limit_s: float = 120.0) -> None:
        """Wait until a reading comes that was taken after now and did not wait."""
        mark, now_s = self.mark(), self.board.uptime_s()
        self.bench.messages.until(
            lambda message: "/reading/" in message.topic and not is_late(message) and message.fields["at_s"] > now_s,
            since=mark,
            limit_s=limit_s,
        )

    def check_delivery(self, *, since: int, outages: int = 1, tail: int = 0, limit_s: float = 120.0) -> int:
        """Nothing was lost up to now: wait until all has come, pictures last, and look at it.

        What came twice since `since` was on its way when one of the `outages` began. Returns how many messages there
        were since the board's first start.
        """
        self.until_caught_up(limit_s=limit_s)
        until_s = time.monotonic() + limit_s
        while missing(numbered(self.bench.messages.since(0)), tail=tail) and time.monotonic() < until_s:
            self.until_report(since=self.mark())
        assert repeated(self.bench.messages.since(since)) <= outages * WINDOW
        return check_delivery(self.bench.messages.since(0), tail=tail)

    def late(self, *, since: int) -> list[Received]:
        """What waited on the board for a connection."""
        return [message for message in self.bench.messages.since(since) if is_late(message)]

    @contextmanager
    def other_configuration(self, *changes: tuple[str, str]) -> Iterator[None]:
        """Run the firmware with texts of its configuration replaced by others; afterwards as before."""
        path = "/boot/firmware/ductwatch.toml"
        self.board.run("mount -o remount,rw /boot/firmware")
        self.board.run(f"cp {path} /run/before.toml")
        try:
            for before, after in changes:
                self.board.run(f"grep -q {shlex.quote(before)} {path}")
                self.board.run(f"sed -i {shlex.quote(f's/{before}/{after}/')} {path}")
            self.board.run("systemctl reload ductwatch.service")
            yield
        finally:
            self.board.run(f"cp /run/before.toml {path}")
            self.board.run("systemctl reload ductwatch.service")
            self.board.run("mount -o remount,ro /boot/firmware")

    def command(self, name: str, **fields: str) -> None:
        """A command by MQTT; nobody waits for its reply."""
        self.bench.broker.send(f"{TOPIC}/command", json.dumps({"command": name, **fields}).encode())

    def mark(self) -> int:
        return self.bench.messages.mark()

    def until_verdict(self, camera: str, label: str, *, since: int, limit_s: float = 60.0) -> Received:
        return self._until(f"verdict/{camera}", lambda fields: fields["label"] == label, since, limit_s)

    def until_any_verdict(self, camera: str, *, since: int, limit_s: float = 60.0) -> dict[str, Any]:
        fields: dict[str, Any] = self._until(f"verdict/{camera}", lambda _: True, since, limit_s).fields
        return fields

    def until_verdict_after(self, uptime_s: float, camera: str, *, since: int, limit_s: float = 60.0) -> dict[str, Any]:
        """One on a picture taken later than `uptime_s`: others may still be on their way."""
        found = self._until(f"verdict/{camera}", lambda fields: fields["at_s"] > uptime_s, since, limit_s)
        fields: dict[str, Any] = found.fields
        return fields

    def until_reading(self, sensor: str, *, since: int, limit_s: float = 60.0, **wanted: float) -> Received:
        """A good reading; `wanted` as `temperature=31.5`, met within heard.TOLERANCES."""

        def fits(fields: dict[str, Any]) -> bool:
            if fields["quality"] != "good" or fields["quantity"] == ALIVE:
                return False
            return not wanted or any(
                fields["quantity"] == name and abs(fields["value"] - value) <= TOLERANCES[name]
                for name, value in wanted.items()
            )

        return self._until(f"reading/{sensor}", fits, since, limit_s)

    def until_alarm(self, rule: str, source: str, *, active: bool, since: int, limit_s: float = 90.0) -> Received:
        return self._until(f"alarm/{rule}/{source}", lambda fields: fields["active"] is active, since, limit_s)

    def until_health(self, source: str, condition: str, *, since: int, limit_s: float = 60.0) -> Received:
        def fits(fields: dict[str, Any]) -> bool:
            return fields.get("condition") == condition and fields["source"] == source

        return self._until("health", fits, since, limit_s)

    def until_availability(self, state: str, *, since: int, limit_s: float = 30.0) -> None:
        """What the firmware says of itself, or the broker in its name."""
        self.bench.messages.until(
            lambda message: message.topic == f"{TOPIC}/availability" and message.payload == state.encode(),
            since=since,
            limit_s=limit_s,
        )

    def until_report(self, *, since: int, limit_s: float = 30.0) -> dict[str, Any]:
        found = self._until("health", lambda fields: fields["type"] == "health_report", since, limit_s)
        figures: dict[str, Any] = found.fields["figures"]
        return figures

    def latencies_ms(self, *, since: int, of: str = "") -> list[float]:
        """Frame to verdict, of each verdict that came since, or of those of one camera."""
        verdicts = (message for message in self.bench.messages.since(since) if f"/verdict/{of}" in message.topic)
        return [float(message.fields["latency_ms"]) for message in verdicts]

    def _dark_s(self) -> float:
        """For how long the light has been off; 0 while it is on."""
        last = max((edge for edge in self.bench.lines.edges if edge.line == Line.LED), key=lambda edge: edge.at_ns)
        return 0.0 if last.level else (now_ns() - last.at_ns) / 1e9

    def _until_lights(self, on: bool, count: int, since_ns: int, limit_s: float) -> None:
        self.board.until(lambda: len(self.lights(on, since_ns=since_ns)) >= count, f"{count} snapshots", limit_s)

    def _until(self, topic: str, fits: Callable[[dict[str, Any]], bool], since: int, limit_s: float) -> Received:
        whole = f"{TOPIC}/{topic}"
        return self.bench.messages.until(
            lambda message: message.topic == whole and fits(message.fields), since=since, limit_s=limit_s
        )
