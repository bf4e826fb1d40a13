"""Power goes when it likes, twenty times in a row, while the broker is away. Afterwards the clock is wrong, too."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from hil.bench import Bench
from hil.board import Board
from hil.heard import TOPIC, is_late
from hil.ready import READY_LIMIT_S, Ready
from hil.report import Report
from hil.rig.lines import Line
from hil.rig.peers import CAMERAS
from hil.rig.pictures import DIRTY
from hil.strategy import State

pytestmark = pytest.mark.lg_feature(["broker", "clock", "lines", "pictures", "power"])

CUTS = 20
EARLIEST_S = 1.0
TELEMETRY_PER_S = 15  # of rig.toml; a power cut may take those of the last 5 s (docs/events.md)
WRONG_CLOCK = "2001-02-03T04:05:06"  # as on a board that has none: systemd goes on from the last time it kept
IDENTITY = "cat /etc/machine-id /data/ssh/ssh_host_ed25519_key.pub"
BAD_WORDS = ("UNEXPECTED INCONSISTENCY", "RUN fsck MANUALLY", "emergency mode", "EXT4-fs error")


@dataclass(frozen=True, slots=True)
class Before:
    """What the board was like, and did, before the first cut."""

    identity: str
    boot: str  # its firmware's `boot_id`
    start_s: float  # how long its start took, with all that is started
    mark: int


@dataclass(frozen=True, slots=True)
class Outlived:
    ready: Ready
    before: Before
    consoles: list[str]  # what the board said at each start that was cut short
    lasted_s: float
    boot: str  # the firmware's `boot_id` after the start that was not cut short
    service_s: float  # from that start's kernel to the service

    def told(self, topic: str) -> dict[str, Any]:
        """The first such message of that start."""
        message = self.ready.bench.messages.until(
            lambda message: message.topic == f"{TOPIC}/{topic}" and message.fields["boot_id"] == self.boot,
            since=self.before.mark,
            limit_s=60,
        )
        fields: dict[str, Any] = message.fields
        return fields


@pytest.fixture(scope="module")
def outlived(machine: Any, bench: Bench) -> Iterator[Outlived]:
    """A board with an alarm, whose power was cut while it worked and then at random moments of its starts."""
    ready = Ready(machine, bench, Board(machine.shell))
    ready.reach(READY_LIMIT_S)
    before = prepared(ready)
    bench.broker.kill()
    left_at = ready.mark()
    ready.until_snapshots(4)  # by the last of which the first is ten seconds old, and on the disk

    started_s = time.monotonic()
    machine.transition(State.off)
    consoles = []
    for power_s in moments(CUTS - 1, before.start_s):
        machine.power_for(power_s)
        consoles.append(machine.power.console.decode(errors="replace"))
    lasted_s = time.monotonic() - started_s

    bench.broker.start()
    machine.power.clock = WRONG_CLOCK
    try:
        machine.transition(State.watching)
        service_s = ready.board.started_s
        now = bench.messages.until(
            lambda message: "/reading/" in message.topic and not is_late(message), since=left_at, limit_s=60
        )
        outlived = Outlived(ready, before, consoles, lasted_s, now.fields["boot_id"], service_s)
        for camera in CAMERAS:
            outlived.told(f"verdict/{camera}")
        yield outlived
    finally:
        machine.power.clock = ""
        bench.restore()


def moments(count: int, latest_s: float) -> list[float]:
    """Seconds of power, as many as `count`: in each of so many equal parts of a start one, at random; shuffled."""
    assert latest_s > EARLIEST_S, latest_s
    chance = random.Random(20)
    part_s = (latest_s - EARLIEST_S) / count
    chosen = [EARLIEST_S + (number + chance.random()) * part_s for number in range(count)]
    chance.shuffle(chosen)
    return chosen


def prepared(ready: Ready) -> Before:
    """A latched alarm of a duct that is clean again, and files that are to stay, and not to."""
    ready.board.run("echo kept > /data/kept && sync -f /data/kept")
    ready.board.run("touch /etc/gone-tomorrow")
    slot = "mkdir -p /var/lib/ductwatch/models && echo slot > /var/lib/ductwatch/models/a && sync"
    as_firmware = f"nsenter -t {ready.board.pid} -m setpriv --reuid ductwatch --regid ductwatch --clear-groups"
    ready.board.run(f"{as_firmware} sh -c '{slot}'")
    mark = ready.mark()
    ready.bench.show(DIRTY)
    ready.raise_dirty("upstream", since=mark)
    ready.bench.lines.until(Line.RELAY, True, 10)
    ready.bench.restore()
    boot = ready.until_any_verdict("upstream", since=mark)["boot_id"]
    return Before(ready.board.run(IDENTITY), boot, ready.board.all_started_s, mark)


def test_twenty_power_cuts_at_random_moments_leave_the_data_intact(outlived: Outlived, report: Report) -> None:
    report.figure("kernel start to all that is started, of a start that is not cut", outlived.before.start_s, "s")
    report.figure(f"{CUTS} power cuts", outlived.lasted_s, "s")
    board = outlived.ready.board

    assert board.run("cat /data/kept") == "kept"
    said = [*outlived.consoles, board.run("journalctl -b -o cat --no-pager"), board.run("dmesg")]
    assert not [word for word in BAD_WORDS for text in said if word in text]
    board.run("systemctl stop ductwatch.service")  # which has its outbox for itself
    try:
        for name in ("outbox", "alarms"):
            code = (
                f"import sqlite3; d = sqlite3.connect('/data/ductwatch/{name}.sqlite'); "
                "print(d.execute('pragma integrity_check').fetchone()[0])"
            )
            assert board.python(code) == "ok"
    finally:
        board.run("systemctl start ductwatch.service", 90)


def test_it_boots_to_a_clean_verdict_from_both_cameras(outlived: Outlived, report: Report) -> None:
    first = [outlived.told(f"verdict/{camera}") for camera in CAMERAS]

    assert [verdict["label"] for verdict in first] == ["CLEAN"] * len(CAMERAS)
    report.figure("kernel start to service (goal: 30 emulated)", outlived.service_s, "s")
    report.figure("kernel start to both first verdicts", max(verdict["at_s"] for verdict in first), "s")


def test_messages_that_wait_for_the_broker_outlive_twenty_power_cuts(outlived: Outlived, report: Report) -> None:
    ready, before = outlived.ready, outlived.before

    count = ready.check_delivery(since=before.mark, tail=5 * TELEMETRY_PER_S)

    report.figure("messages since the first start", count, "")
    waited = [
        message
        for message in ready.late(since=before.mark)
        if message.topic.startswith(f"{TOPIC}/verdict/") and message.fields["boot_id"] == before.boot
    ]
    assert len(waited) >= len(CAMERAS)


def test_twenty_power_cuts_forget_no_alarm(outlived: Outlived) -> None:
    """The latched alarm is told again, and its relay is pulled, though the clock is wrong."""
    assert outlived.told("alarm/dirty_duct/upstream")["active"] is True
    outlived.ready.bench.lines.until(Line.RELAY, True, 30)


@contextmanager
def other_time(board: Board, when: str) -> Iterator[None]:
    """Set the clock; afterwards to what time it is, also where the board keeps it for its next start."""
    board.run(f"date -s {when}")
    try:
        yield
    finally:
        board.run("systemctl stop systemd-timesyncd.service && rm -f /data/timesync/clock && sync -f /data")
        board.run(f"date -s @{int(time.time())} && systemctl start systemd-timesyncd.service")


def test_a_wrong_clock_is_said_in_each_message_and_may_be_set_while_the_board_works(outlived: Outlived) -> None:
    ready = outlived.ready
    verdict = outlived.told("verdict/upstream")
    assert verdict["label"] == "CLEAN"
    assert verdict["time_trusted"] is False
    assert verdict["time"] > "2026"

    mark = ready.mark()
    with other_time(ready.board, "2040-12-01T00:00:00"):
        after = ready.until_verdict_after(ready.board.uptime_s(), "upstream", since=mark)
    assert after["time"].startswith("2040-12-01")


def test_the_board_is_the_same_afterwards_and_its_root_as_it_was_flashed(outlived: Outlived) -> None:
    board = outlived.ready.board
    assert board.run(IDENTITY) == outlived.before.identity
    assert not board.tells("test -e /etc/gone-tomorrow")


def test_the_folder_of_the_model_slots_outlives_the_cuts(outlived: Outlived) -> None:
    """As the firmware's own user made it. What an update itself outlives is in test_updates.py."""
    assert outlived.ready.board.run("cat /data/ductwatch/models/a") == "slot"
