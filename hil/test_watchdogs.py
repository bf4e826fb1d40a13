"""Whatever hangs is started again, and nothing stays switched on meanwhile."""

from __future__ import annotations

import pytest

from hil.bench import now_ns
from hil.heard import TOPIC
from hil.ready import Ready
from hil.report import Report
from hil.rig.lines import Line
from hil.strategy import State


@pytest.mark.lg_feature("lines")
def test_a_stuck_event_loop_is_restarted_by_systemd_and_the_light_is_off(ready: Ready, report: Report) -> None:
    before, restarts = ready.board.pid, ready.board.restarts
    stuck_ns = now_ns()
    ready.board.run(f"kill -STOP {before}")

    ready.board.until(lambda: ready.board.restarts > restarts, "systemd restarts the firmware", 90)
    report.figure("stuck to restarted", (now_ns() - stuck_ns) / 1e9, "s")
    ready.bench.lines.until(Line.LED, False, 10)
    mark = ready.mark()
    ready.until_verdict("upstream", "CLEAN", since=mark, limit_s=90)


@pytest.mark.lg_feature("lines")
def test_a_killed_firmware_is_back_and_its_lines_were_let_go(ready: Ready, report: Report) -> None:
    mark, killed_ns = ready.mark(), now_ns()
    ready.board.run(f"kill -KILL {ready.board.pid}")

    ready.bench.lines.until(Line.RELAY, False, 10)
    ready.bench.messages.until(
        lambda message: message.topic == f"{TOPIC}/availability" and message.payload == b"offline",
        since=mark,
        limit_s=30,
    )
    ready.until_verdict("upstream", "CLEAN", since=mark, limit_s=90)
    report.figure("killed to next verdict", (now_ns() - killed_ns) / 1e9, "s")


@pytest.mark.lg_feature("lines")
def test_a_stop_says_so_and_leaves_all_outputs_off(ready: Ready, report: Report) -> None:
    mark, told_ns = ready.mark(), now_ns()
    ready.board.run("systemctl stop ductwatch.service")
    report.figure("stop", (now_ns() - told_ns) / 1e9, "s")

    ready.bench.messages.until(
        lambda message: message.topic == f"{TOPIC}/availability" and message.payload == b"stopped",
        since=mark,
        limit_s=30,
    )
    assert not any(ready.bench.lines.level(line) for line in (Line.LED, Line.RELAY, Line.BUZZER))
    ready.board.run("systemctl start ductwatch.service", 90)


def test_a_wrong_configuration_is_refused_at_reload_and_the_old_one_goes_on(ready: Ready) -> None:
    mark, pid = ready.mark(), ready.board.pid
    with ready.other_configuration(('driver = "bme680"', 'driver = "bme689"')):
        said = ready.until_health("board", "degraded", since=mark).fields
        assert "ductwatch.toml" in said["problem"]
        assert "bme680" in said["problem"]
        ready.until_reading("duct-gas", since=ready.mark())

    assert ready.board.pid == pid


@pytest.mark.lg_feature(["hardware-watchdog", "lines"])
def test_a_stuck_systemd_is_ended_by_the_hardware_watchdog(ready: Ready, report: Report) -> None:
    assert ready.board.run("cat /sys/class/watchdog/watchdog0/state") == "active"
    mark, stuck_ns = ready.mark(), now_ns()
    ready.board.run("kill -SEGV 1")

    ready.bench.machine.until("WATCHDOG", 90, since_ns=stuck_ns)
    report.figure("systemd stuck to the watchdog's bite", (now_ns() - stuck_ns) / 1e9, "s")
    ready.machine.restarted()
    ready.bench.lines.until(Line.LED, False, 10)
    ready.machine.transition(State.watching)
    ready.until_verdict("upstream", "CLEAN", since=mark, limit_s=120)
