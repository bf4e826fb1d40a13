"""Whatever hangs is started again, and its lines begin anew: off, and on again where an alarm stands."""

from __future__ import annotations

import pytest

from hil.bench import now_ns
from hil.ready import Ready
from hil.report import Report
from hil.rig.lines import Line
from hil.rig.pictures import DIRTY
from hil.strategy import State

OUTPUTS = (Line.LED, Line.RELAY, Line.BUZZER)


@pytest.fixture
def alarmed(ready: Ready) -> Ready:
    """A board whose relay is pulled by an alarm that latches, though the duct is clean again."""
    mark = ready.mark()
    ready.bench.show(DIRTY)
    ready.raise_dirty("upstream", since=mark)
    ready.bench.lines.until(Line.RELAY, True, 10)
    ready.bench.restore()
    return ready


@pytest.mark.lg_feature(["lines", "pictures"])
def test_a_stuck_event_loop_is_restarted_by_systemd_and_all_outputs_let_go(alarmed: Ready, report: Report) -> None:
    """Stuck with the light on: lines keep their level until the next start, and the relay comes back with the alarm."""
    ready, restarts = alarmed, alarmed.board.restarts
    with ready.other_configuration(('settle = "200ms"', 'settle = "3s"')):
        ready.bench.lines.until(Line.LED, False, 10)
        ready.bench.lines.until(Line.LED, True, 10)
        stuck_ns = now_ns()
        ready.board.run(f"kill -STOP {ready.board.pid}")
        assert ready.bench.lines.level(Line.LED)

        ready.board.until(lambda: ready.board.restarts > restarts, "systemd restarts the firmware", 90)
    report.figure("stuck to restarted", (now_ns() - stuck_ns) / 1e9, "s")
    ready.bench.lines.until(Line.LED, False, 30)
    ready.until_verdict("upstream", "CLEAN", since=ready.mark(), limit_s=90)
    let_go(ready, Line.RELAY, since_ns=stuck_ns)
    ready.bench.lines.until(Line.RELAY, True, 30)


@pytest.mark.lg_feature(["broker", "lines", "pictures"])
def test_a_killed_firmware_is_back_and_its_lines_were_let_go(alarmed: Ready, report: Report) -> None:
    ready, mark, killed_ns = alarmed, alarmed.mark(), now_ns()
    ready.board.run(f"kill -KILL {ready.board.pid}")

    ready.until_availability("offline", since=mark)
    mark = ready.mark()
    ready.until_verdict("upstream", "CLEAN", since=mark, limit_s=90)
    report.figure("killed to next verdict", (now_ns() - killed_ns) / 1e9, "s")
    let_go(ready, Line.RELAY, since_ns=killed_ns)
    ready.bench.lines.until(Line.RELAY, True, 30)


@pytest.mark.lg_feature(["broker", "lines", "pictures"])
def test_a_stop_says_so_and_leaves_all_outputs_off(alarmed: Ready, report: Report) -> None:
    ready, mark, told_ns = alarmed, alarmed.mark(), now_ns()
    ready.board.run("systemctl stop ductwatch.service")
    report.figure("stop", (now_ns() - told_ns) / 1e9, "s")

    ready.until_availability("stopped", since=mark)
    assert not any(ready.bench.lines.level(line) for line in OUTPUTS)
    ready.board.run("systemctl start ductwatch.service", 90)


def let_go(ready: Ready, line: Line, *, since_ns: int) -> None:
    """It was off at some time since."""
    edges = [edge for edge in ready.bench.lines.edges if edge.line == line and edge.at_ns > since_ns]
    assert any(not edge.level for edge in edges), f"{line.name} stayed on"


def test_a_wrong_configuration_is_refused_at_reload_and_the_old_one_goes_on(ready: Ready) -> None:
    mark, pid = ready.mark(), ready.board.pid
    with ready.other_configuration(('driver = "bme680"', 'driver = "bme689"')):
        said = ready.until_health("board", "degraded", since=mark).fields
        assert "ductwatch.toml" in said["problem"]
        assert "bme680" in said["problem"]
        ready.until_reading("duct-gas", since=ready.mark())

    assert ready.board.pid == pid


@pytest.mark.lg_feature(["hardware-watchdog", "lines", "pictures"])
def test_a_stuck_systemd_is_ended_by_the_hardware_watchdog(alarmed: Ready, report: Report) -> None:
    ready = alarmed
    assert ready.board.run("cat /sys/class/watchdog/watchdog0/state") == "active"
    stuck_ns = now_ns()
    ready.board.run("kill -SEGV 1")

    ready.bench.machine.until("WATCHDOG", 90, since_ns=stuck_ns)
    report.figure("systemd stuck to the watchdog's bite", (now_ns() - stuck_ns) / 1e9, "s")
    ready.machine.restarted()
    mark = ready.mark()
    ready.machine.transition(State.watching)
    ready.until_verdict("upstream", "CLEAN", since=mark, limit_s=120)
    let_go(ready, Line.RELAY, since_ns=stuck_ns)
    ready.bench.lines.until(Line.RELAY, True, 30)
