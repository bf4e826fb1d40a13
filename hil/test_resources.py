"""Verdicts stay punctual, and the board stays alive, when something else takes what there is."""

from __future__ import annotations

from statistics import quantiles

import pytest

from hil.board import Board
from hil.conftest import FOLDER
from hil.ready import Ready
from hil.report import Report
from hil.stress import stressed

SCHED_FIFO = 1
SNAPSHOTS = 13  # of two cameras: 26 verdicts
STRESS = ("--cpu 4", "--vm 1 --vm-bytes 64m", "--hdd 1 --hdd-bytes 16m --hdd-opts sync --temp-path /data")


def test_every_thread_runs_in_real_time(board: Board) -> None:
    code = f"import os; print({{os.sched_getscheduler(int(t)) for t in os.listdir('/proc/{board.pid}/task')}})"
    assert board.python(code) == f"{{{SCHED_FIFO}}}"


def test_memory_is_locked(board: Board, report: Report) -> None:
    status = board.run(f"cat /proc/{board.pid}/status")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    resident_kib, locked_kib = (int(fields[name].split()[0]) for name in ("VmRSS", "VmLck"))
    report.figure("resident", resident_kib / 1024, "MiB")
    assert locked_kib >= resident_kib


def test_verdicts_come_while_everything_is_busy(ready: Ready, report: Report) -> None:
    """Two busy loops a processor, memory that is filled and read, and a disk that syncs."""
    report.figure("latency of verdicts idle, p99", p99_ms(ready), "ms")
    with stressed(ready.board, FOLDER, *STRESS):
        report.figure("latency of verdicts under stress-ng, p99", p99_ms(ready), "ms")


def p99_ms(ready: Ready) -> float:
    mark = ready.mark()
    for _ in range(SNAPSHOTS):
        ready.snapshot("CLEAN")
    return quantiles(ready.latencies_ms(since=mark), n=100, method="inclusive")[-1]


def test_a_full_disk_stops_no_verdict_and_loses_no_message(ready: Ready) -> None:
    mark = ready.mark()
    ready.board.run("fallocate -l $(df --output=avail -B1 /data | tail -n 1) /data/fill")
    try:
        ready.until_alarm("disk_nearly_full", "board", active=True, since=mark)
        ready.snapshot("CLEAN")
    finally:
        ready.board.run("rm -f /data/fill")
    ready.until_alarm("disk_nearly_full", "board", active=False, since=mark)
    ready.check_delivery(since=mark)


def test_tight_memory_ends_the_glutton_and_not_the_firmware(ready: Ready) -> None:
    pid = ready.board.pid
    with pytest.raises(AssertionError, match=r"exit (137|-9|255)"):  # killed, or its session with it
        ready.board.python("kept = []\nwhile True: kept.append(b'x' * 8_000_000)", 120)

    assert ready.board.pid == pid
    assert "Out of memory" in ready.board.run("dmesg")
    ready.snapshot("CLEAN")


@pytest.mark.lg_feature("usb-stick")
def test_a_usb_stick_that_is_plugged_in_can_be_read(ready: Ready) -> None:
    with ready.bench.machine.usb_stick({"bundle.tar": b"a bundle"}):
        ready.board.until(lambda: ready.board.tells("test -b /dev/disk/by-label/STICK"), "the stick is there", 30)
        ready.board.run("mkdir -p /run/stick && mount -o ro /dev/disk/by-label/STICK /run/stick")
        try:
            assert ready.board.run("cat /run/stick/bundle.tar") == "a bundle"
        finally:
            ready.board.run("umount /run/stick")
