"""What derived signals remember survives restarts, power cuts, full disks and damaged files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from drivers.clock import SimulatedClock
from drivers.types import NS_PER_S, SourceId
from firmware.derived.dirt_rate import DirtRate
from firmware.derived.gas_index import GasBaseline
from firmware.derived.hourly import Hourly
from firmware.derived.memory import Memory
from firmware.derived.nowcast import NowCast
from firmware.derived_store import SAVE_NS, DerivedStore
from firmware.observations import Condition
from firmware.supervisor import Pulse
from tests.builders import at

pytestmark = pytest.mark.real

GAS, PM = SourceId("duct-gas"), SourceId("duct-pm")


@dataclass
class Board:
    """Where a store stands: a folder, a clock, a wall, and what it reported."""

    folder: Path
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(1e9))
    wall_s: float | None = 1000.0
    said: list[tuple[Condition, str]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "derived.json"

    def files(self) -> list[str]:
        return [path.name for path in self.folder.iterdir()]

    def store(self) -> DerivedStore:
        return DerivedStore(
            self.path,
            self.clock,
            wall_ns=lambda: None if self.wall_s is None else round(self.wall_s * NS_PER_S),
            report=lambda condition, problem, _: self.said.append((condition, problem)),
        )


def memory() -> dict[SourceId, Memory]:
    return {
        GAS: Memory(gas=GasBaseline(weight_s=7.5, ln_ohm=11.25, last_at=at(0)), dirt=DirtRate(at(0), [1.0, None])),
        PM: Memory(pm2_5=NowCast(Hourly(at(0), 5.0, at(0)), [3.0, None])),
    }


async def test_what_was_saved_is_there_after_the_restart(tmp_path: Path) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        await store.save(memory())
    async with board.store() as store:
        assert await store.load() == memory()
    assert board.said == []


async def test_the_first_start_has_nothing_and_says_nothing(tmp_path: Path) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        assert await store.load() == {}
    assert board.said == []


async def test_the_time_that_the_board_was_off_has_passed(tmp_path: Path) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        await store.save(memory())
        board.wall_s = 1000.0 + 600
        loaded = await store.load()

    assert loaded[PM].pm2_5 == NowCast(Hourly(at(-600), 5.0, at(-600)), [3.0, None])
    assert loaded[GAS].dirt == DirtRate(at(-600), [1.0, None])


@pytest.mark.parametrize("wall_s", [None, 900.0], ids=["not synchronised", "went back"])
async def test_without_a_clock_to_trust_the_hours_begin_anew(tmp_path: Path, wall_s: float | None) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        await store.save(memory())
        board.wall_s = wall_s
        loaded = await store.load()

    assert loaded[PM].pm2_5 is None
    assert loaded[GAS] == memory()[GAS]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"version": 1, "at": 0',
        b'{"version": 2, "at": 0, "wall_ns": null, "sources": {}}',
        b'{"version": 1, "at": 0, "wall_ns": null, "sources": {"a": {"gas": {"weight_s": null}}}}',
        b'{"version": 1, "at": 0, "wall_ns": null, "sources": {"a": {"gas": {"weight_s": -1}}}}',
        b'{"version": 1, "at": 0, "wall_ns": null, "sources": {"a": {"dirt": {"began": 0, "every": 0}}}}',
        b"\x00" * 5_000_000,
    ],
    ids=["empty", "half", "another version", "no number", "impossible", "endless", "huge"],
)
async def test_a_damaged_file_is_set_aside_and_reported(tmp_path: Path, content: bytes) -> None:
    board = Board(tmp_path)
    board.path.write_bytes(content)
    async with board.store() as store:
        assert await store.load() == {}
        await store.save(memory())

    assert [condition for condition, _ in board.said] == [Condition.DEGRADED]
    assert "is damaged" in board.said[0][1]
    assert (tmp_path / "derived.json.damaged").read_bytes() == content
    assert msgspec.json.decode(board.path.read_bytes())["version"] == 1


async def test_a_half_written_file_of_a_power_cut_is_not_the_file(tmp_path: Path) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        await store.save(memory())
        (tmp_path / "derived.json.half").write_bytes(b'{"ver')

        assert await store.load() == memory()
        await store.save({})
    assert board.files() == ["derived.json"]


async def test_a_disk_that_takes_nothing_is_reported_once_and_its_recovery_too(tmp_path: Path) -> None:
    board = Board(tmp_path)
    (tmp_path / "derived.json.half").mkdir()  # nobody can write a file of this name, root neither
    async with board.store() as store:
        await store.save(memory())
        await store.save(memory())
        (tmp_path / "derived.json.half").rmdir()
        await store.save(memory())

    assert [condition for condition, _ in board.said] == [Condition.DEGRADED, Condition.RECOVERED]


async def test_it_is_saved_once_an_hour_and_at_the_end(tmp_path: Path) -> None:
    board = Board(tmp_path)
    remembered = memory()
    async with board.store() as store:
        keeping = asyncio.create_task(store.keep(remembered, pulse=Pulse(10, asyncio.get_running_loop().time)))
        await board.clock.sleep_until(at(SAVE_NS / NS_PER_S - 1))
        early = board.files()
        await board.clock.sleep_until(at(SAVE_NS / NS_PER_S + 1))
        hourly = await store.load()
        remembered[GAS].gas = None
        keeping.cancel()
        await asyncio.wait([keeping])
        loaded = await store.load()

    assert early == []
    assert hourly[GAS].gas is not None
    assert loaded[GAS].gas is None
