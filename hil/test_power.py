"""Power comes and goes when it likes."""

from __future__ import annotations

import random
import time

import pytest

from hil.ready import Ready
from hil.report import Report
from hil.rig.lines import Line
from hil.rig.pictures import DIRTY
from hil.strategy import State

pytestmark = pytest.mark.lg_feature("power")

CUTS = 20
EARLIEST_S, LATEST_S = 1.0, 40.0  # of power: from the boot loader to a firmware that writes, 30 s under emulation
TELEMETRY_PER_S = 8  # of the rig's configuration; a power cut may take those of the last 5 s (docs/events.md)


def test_twenty_power_cuts_at_random_moments_leave_the_data_intact(ready: Ready, report: Report) -> None:
    chance = random.Random(20)
    mark = ready.mark()
    started_s = time.monotonic()
    ready.board.run("echo kept > /data/kept && sync -f /data/kept")
    for _ in range(CUTS):
        ready.machine.power_for(chance.uniform(EARLIEST_S, LATEST_S))
    report.figure(f"{CUTS} power cuts", time.monotonic() - started_s, "s")
    ready.machine.transition(State.watching)

    assert ready.board.run("cat /data/kept") == "kept"
    journal = ready.board.run("journalctl -b -o cat --no-pager")
    assert not any(word in journal for word in ("UNEXPECTED INCONSISTENCY", "RUN fsck MANUALLY", "emergency mode"))
    assert "EXT4-fs error" not in ready.board.run("dmesg")
    report.figure("messages over all starts", ready.check_delivery(since=mark, tail=5 * TELEMETRY_PER_S), "")
    ready.board.run("systemctl stop ductwatch.service")  # which has its outbox for itself
    try:
        for name in ("outbox", "alarms"):
            code = (
                f"import sqlite3; d = sqlite3.connect('/data/ductwatch/{name}.sqlite'); "
                "print(d.execute('pragma integrity_check').fetchone()[0])"
            )
            assert ready.board.python(code) == "ok"
    finally:
        ready.board.run("systemctl start ductwatch.service", 90)


@pytest.mark.lg_feature(["pictures", "lines", "clock"])
def test_a_power_cut_forgets_no_alarm_even_if_the_clock_is_wrong_afterwards(ready: Ready) -> None:
    """The next start is in 2001, as on a board without a clock: the latched alarm and its relay come back."""
    identity = ready.board.run("cat /etc/machine-id /data/ssh/ssh_host_ed25519_key.pub")
    ready.board.run("touch /etc/gone-tomorrow")
    mark = ready.mark()
    ready.bench.show(DIRTY)
    ready.raise_dirty("upstream", since=mark)
    ready.machine.transition(State.off)
    ready.bench.restore()
    mark = ready.mark()
    ready.machine.power.clock = "2001-02-03T04:05:06"
    try:
        ready.machine.transition(State.watching)
    finally:
        ready.machine.power.clock = ""

    ready.bench.lines.until(Line.RELAY, True, 30)
    verdict = ready.until_verdict("upstream", "CLEAN", since=mark).fields
    assert verdict["time_trusted"] is False
    assert ready.board.run("cat /etc/machine-id /data/ssh/ssh_host_ed25519_key.pub") == identity
    assert not ready.board.tells("test -e /etc/gone-tomorrow")
    ready.board.run("date -s 2026-12-01T00:00:00")
    after = ready.until_any_verdict("upstream", since=ready.mark())
    assert after["time"].startswith("2026-12-01")
    assert after["at_s"] > verdict["at_s"]
