from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from drivers.board import (
    Board,
    BoardSettings,
    cpu_load,
    cpu_temperature,
    cpu_ticks,
    kernel_clock_synchronised,
    memory_used,
    resident,
)
from drivers.clock import SimulatedClock
from drivers.errors import Absent, Lost
from drivers.types import Quantity

MEMINFO = "MemTotal:        4000000 kB\nMemFree:          100000 kB\nMemAvailable:    3000000 kB\n"
STAT = "cpu  {user} 0 100 {idle} 50 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 12345\n"


class Root:
    """A /proc and a /sys as the kernel lays them out."""

    def __init__(self, path: Path) -> None:
        self.proc, self.sysfs, self.data = path / "proc", path / "sys", path / "data"
        (self.proc / "self").mkdir(parents=True)
        self.sysfs.mkdir()
        self.data.mkdir()

    def zone(self, number: int, kind: str, temperature: str) -> None:
        zone = self.sysfs / f"class/thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "type").write_text(f"{kind}\n")
        (zone / "temp").write_text(f"{temperature}\n")

    def busy(self, user: int, idle: int) -> None:
        (self.proc / "stat").write_text(STAT.format(user=user, idle=idle))

    def board(self, *, zone: str = "", synchronised: bool | None = True) -> Board:
        settings = BoardSettings(name="board", driver="board", data=self.data, thermal_zone=zone)
        return Board(settings, SimulatedClock(), proc=self.proc, sysfs=self.sysfs, synchronised=lambda: synchronised)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


async def read(board: Board) -> dict[Quantity, float]:
    return {reading.quantity: reading.value for reading in await board.read()}


@pytest.mark.real
async def test_a_board_with_everything(root: Root) -> None:
    root.zone(0, "cpu-thermal", "48312")
    root.busy(user=1000, idle=9000)
    (root.proc / "meminfo").write_text(MEMINFO)
    (root.proc / "self/status").write_text("Name:\tductwatch\nVmRSS:\t   81920 kB\n")
    async with root.board() as board:
        root.busy(user=1300, idle=9700)
        found = await read(board)

    assert 0 < found.pop(Quantity.DISK_USED) <= 100
    assert found == {
        Quantity.CPU_TEMPERATURE: 48.312,
        Quantity.CPU_LOAD: 0.3,
        Quantity.MEMORY_USED: 25.0,
        Quantity.CLOCK_SYNCHRONISED: 1.0,
        Quantity.RESIDENT: 81920 * 1024.0,
    }


@pytest.mark.real
async def test_what_the_board_does_not_have_is_left_out(root: Root) -> None:
    root.data.rmdir()
    async with root.board(synchronised=None) as board:
        assert await read(board) == {}


@pytest.mark.real
async def test_load_is_that_since_the_last_reading(root: Root) -> None:
    root.busy(user=0, idle=0)
    async with root.board() as board:
        root.busy(user=100, idle=0)
        assert (await read(board))[Quantity.CPU_LOAD] == 1.0
        root.busy(user=100, idle=400)
        assert (await read(board))[Quantity.CPU_LOAD] == 0.0
        assert Quantity.CPU_LOAD not in await read(board)  # no tick since


@pytest.mark.real
async def test_a_thermal_zone_that_is_not_there_is_named_with_those_that_are(root: Root) -> None:
    root.zone(0, "cpu-thermal", "48312")
    root.zone(1, "gpu-thermal", "45000")
    with pytest.raises(Absent, match=r"no thermal zone npu\. Set thermal_zone to one of cpu-thermal, gpu-thermal\."):
        await root.board(zone="npu").__aenter__()

    async with root.board(zone="gpu-thermal") as board:
        assert (await read(board))[Quantity.CPU_TEMPERATURE] == 45.0


@pytest.mark.real
async def test_a_data_directory_that_cannot_be_asked_is_lost(root: Root) -> None:
    async with root.board() as board:
        root.data.rmdir()
        root.data.symlink_to(root.data)
        with pytest.raises(Lost, match=r"board: .*data: Too many levels of symbolic links\. Check the disk"):
            await board.read()


@pytest.mark.real
async def test_this_very_machine() -> None:
    settings = BoardSettings(name="board", driver="board", data=Path.cwd())
    async with Board(settings, SimulatedClock()) as board:
        found = await read(board)

    free = shutil.disk_usage(Path.cwd())
    assert found[Quantity.DISK_USED] == pytest.approx(100 * free.used / (free.used + free.free), abs=5)
    assert 1e6 < found[Quantity.RESIDENT] < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < found[Quantity.MEMORY_USED] < 100


@pytest.mark.real
def test_the_kernel_tells_whether_its_clock_is_set_or_that_it_may_not() -> None:
    assert kernel_clock_synchronised() in (True, False, None)


@pytest.mark.parametrize(
    ("zones", "wanted", "degrees"),
    [
        ({"cpu-thermal": 50.0, "gpu-thermal": 60.0}, "", 50.0),
        ({"cpu0-thermal": 50.0, "cpu1-thermal": 55.0, "battery": 80.0}, "", 55.0),
        ({"x86_pkg_temp": 61.0, "acpitz": 27.8}, "", 61.0),
        ({"cpu-thermal": 50.0, "gpu-thermal": 60.0}, "gpu-thermal", 60.0),
        ({"battery": 80.0}, "", None),
        ({"cpu-thermal": 50.0}, "gpu-thermal", None),
        ({}, "", None),
    ],
    ids=["by name", "hottest core", "pc", "as configured", "none of the processor", "gone since", "none at all"],
)
def test_which_temperature_is_the_processors(zones: dict[str, float], wanted: str, degrees: float | None) -> None:
    assert cpu_temperature(zones, wanted) == degrees


@pytest.mark.parametrize("text", ["", "cpu", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9"])
def test_a_stat_that_is_none_gives_no_load(text: str) -> None:
    assert cpu_ticks(text) is None
    assert cpu_load(cpu_ticks(text), (1, 2)) is None


def test_ticks_that_run_backwards_for_waiting_cores_give_no_impossible_load() -> None:
    assert cpu_load((100, 1000), (90, 1100)) == 0.0  # iowait may fall, says proc(5)
    assert cpu_load((100, 1000), (300, 1100)) == 1.0


def test_memory_and_resident_need_their_lines() -> None:
    assert memory_used("MemTotal: 4000 kB\n") is None
    assert resident("Name:\tx\n") is None
