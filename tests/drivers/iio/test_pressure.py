from __future__ import annotations

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import Absent, BadData, Lost
from drivers.iio.pressure import Pressure, PressureSettings
from drivers.settings import from_table
from drivers.types import Quality, Quantity
from tests.drivers.iio.board import Board

pytestmark = pytest.mark.real


def pressure(board: Board, chip: str = "abp060mg") -> Pressure:
    settings = PressureSettings(name="filter", driver="iio-pressure", chip=chip)
    return Pressure(settings, SimulatedClock(), devices=board.devices)


async def pascals(board: Board, chip: str = "abp060mg") -> float:
    async with pressure(board, chip) as device:
        (reading,) = await device.read()
    assert (reading.source, reading.quantity) == ("filter", Quantity.DIFFERENTIAL_PRESSURE)
    return reading.value


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"in_pressure_input": "0.165"}, 165.0),
        ({"in_pressure_raw": "8192", "in_pressure_offset": "-1638", "in_pressure_scale": "0.0001"}, 655.4),
        ({"in_pressure_raw": "1650", "in_pressure_scale": "0.0001"}, 165.0),
        ({"in_pressure_raw": "-50", "in_pressure_scale": "0.0001"}, -5.0),
    ],
    ids=["computed", "raw with offset", "raw", "reversed"],
)
async def test_kilopascals_of_the_kernel_are_pascals(board: Board, files: dict[str, str], expected: float) -> None:
    board.plug(1, "abp060mg", "1-0028", files)

    assert await pascals(board) == pytest.approx(expected)


@pytest.mark.parametrize(("raw", "expected"), [("9900", 165.0), ("0", 0.0), ("65236", -5.0)])
async def test_an_sdp500_shows_pascals_and_loses_its_sign_on_the_way(board: Board, raw: str, expected: float) -> None:
    board.plug(1, "sdp500", "1-0040", {"in_pressure_raw": raw, "in_pressure_scale": "0.016666666"})

    assert await pascals(board, "sdp500") == pytest.approx(expected, abs=0.001)


async def test_a_pressure_that_no_duct_has_is_bad(board: Board) -> None:
    board.plug(1, "abp060mg", "1-0028", {"in_pressure_input": "101.3"})
    async with pressure(board) as device:
        (reading,) = await device.read()

    assert reading.quality is Quality.BAD


async def test_a_chip_without_a_driver_is_absent(board: Board) -> None:
    with pytest.raises(Absent, match=r"filter: the kernel has no abp060mg\. Check its cable, then modprobe its driver"):
        await pressure(board).__aenter__()


async def test_a_sensor_that_goes_is_lost_and_one_that_stammers_is_read_again(board: Board) -> None:
    sensor = board.plug(1, "abp060mg", "1-0028", {"in_pressure_raw": "0", "in_pressure_scale": "1"})
    async with pressure(board) as device:
        (sensor / "in_pressure_raw").write_text("n/a")
        with pytest.raises(BadData, match="in_pressure_raw holds no number"):
            await device.read()
        (sensor / "in_pressure_raw").unlink()
        with pytest.raises(Lost, match="filter: in_pressure_raw: No such file or directory"):
            await device.read()


def test_one_sensor_is_claimed_once() -> None:
    table = {"name": "filter", "driver": "iio-pressure", "chip": "sdp500", "parent": "1-0040"}
    assert from_table(table, PressureSettings).claims() == ("sdp500 1-0040",)
