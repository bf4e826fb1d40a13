"""The board from its power switch: what it is then, whatever order its devices come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hil.bench import Bench
from hil.board import Board
from hil.ready import Ready
from hil.report import Report
from hil.rig.peers import CAMERAS
from hil.rig.pictures import CLEAN, DIRTY
from hil.rig.pms5003 import DustFault
from hil.strategy import State


@pytest.fixture(scope="module")
def bare(machine: Any, bench: Bench) -> Iterator[Ready]:
    """A newly flashed board, started with nothing plugged in; the cameras come meanwhile, the downstream one first."""
    ready = Ready(machine, bench, Board(machine.shell))
    ready.machine.transition(State.off)
    ready.bench.unplug_all()
    ready.bench.fail_dust(DustFault.SILENT)
    mark = ready.mark()
    ready.machine.transition(State.on)
    ready.bench.plug_in_order(("downstream", "upstream"), 120)
    ready.machine.transition(State.watching)
    ready.started_at = mark
    yield ready
    ready.bench.restore()


@pytest.mark.lg_feature(["dust", "plugs", "power"])
def test_it_boots_to_a_first_verdict_from_both_cameras_though_nothing_else_is_there(
    bare: Ready, report: Report
) -> None:
    """Without the LED's bridge that is an honest one: it cannot tell. What it says in the light: test_power.py."""
    first = [bare.until_any_verdict(camera, since=bare.started_at) for camera in CAMERAS]

    assert [verdict["label"] for verdict in first] == ["CANNOT_TELL"] * len(CAMERAS)
    for source in ("duct-gas", "duct-pm", "relay"):
        assert bare.until_health(source, "failed", since=bare.started_at).fields["remedy"]
    report.figure("kernel start to service (goal: 30 emulated)", bare.board.started_s, "s")


@pytest.mark.lg_feature(["dust", "pictures", "plugs", "power"])
def test_cameras_numbered_the_other_way_round_do_not_swap_left_and_right(bare: Ready) -> None:
    first = bare.board.run("cat /sys/class/video4linux/video0/device/../serial")
    assert first == CAMERAS["downstream"]
    bare.bench.restore()
    bare.bench.cameras["downstream"].show(DIRTY)
    bare.bench.cameras["upstream"].show(CLEAN)

    mark = bare.mark()
    bare.until_verdict("downstream", "DIRTY", since=mark, limit_s=120)
    bare.until_verdict("upstream", "CLEAN", since=mark)


@pytest.mark.lg_feature(["dust", "plugs", "power"])
def test_what_was_absent_at_the_start_is_found_when_it_is_plugged_in(bare: Ready) -> None:
    mark = bare.mark()
    bare.bench.restore()

    for sensor in ("duct-gas", "duct-pm", "duct-pm-i2c"):
        bare.until_reading(sensor, since=mark, limit_s=120)


@pytest.mark.lg_feature("emulated")
def test_it_is_called_what_its_preset_file_says(board: Board) -> None:
    assert board.run("hostname") == "rig"
    assert "10.0.2.15/24" in board.run("ip -brief address show enp0s10")


def test_its_data_partition_fills_the_card(board: Board) -> None:
    total_kib = int(board.run("df --output=size /data").splitlines()[-1])
    assert total_kib > 1.4 * 1024 * 1024, "a card of 2 GiB, less boot partition and root"


def test_no_unit_of_the_image_failed(board: Board) -> None:
    assert board.run("systemctl --failed --no-legend --plain") == ""
