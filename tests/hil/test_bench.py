"""What a test did to the bench's hardware is undone for the next one, and what happened is kept when it failed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hil.bench import AIR, Bench
from hil.evidence import keep
from hil.rig.pictures import BARS
from hil.rig.plantower import CLEAN_AIR, DIRTY_AIR
from tests.hil.rig.guest import Guest
from tests.hil.rig.video import Video

pytestmark = pytest.mark.real


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rig-") as folder:  # socket paths are short
        yield Path(folder)


@pytest.fixture
def bench(folder: Path) -> Iterator[Bench]:
    with Bench(folder) as bench:
        yield bench


def frames(chip: Any, count: int) -> list[bytes]:
    return [chip.read(32) for _ in range(count)]


def measures(chip: Any) -> bool:
    """Whether the BME680 gets ready within a few looks at its status."""
    chip.write(b"\x74\x25")
    return any(_status(chip) & 0x80 for _ in range(5))


def _status(chip: Any) -> int:
    chip.write(b"\x1d")
    return int(chip.read(1)[0])


def test_the_air_is_as_on_a_healthy_bench_after_a_test_that_spoilt_it(bench: Bench) -> None:
    bench.set_air(temperature=40.0, humidity=90.0, pressure=950.0, gas_resistance=5000.0)
    bench.restore()

    assert {name: getattr(bench.peers.air, name) for name in AIR} == AIR


def test_a_chip_that_finishes_no_measurement_finishes_them_after_the_test(bench: Bench) -> None:
    bench.hang_air()
    assert not measures(bench.peers.air)
    bench.restore()
    assert measures(bench.peers.air)


def test_frames_of_the_particle_sensor_on_the_bus_are_disturbed_as_often_as_asked(bench: Bench) -> None:
    chip = bench.peers.fine_dust
    whole = chip.read(32)
    bench.disturb_fine_dust(reads=2)
    assert [frame == whole for frame in frames(chip, 3)] == [False, False, True]

    bench.disturb_fine_dust(reads=1000)
    bench.restore()
    assert frames(chip, 1) == [whole]


def test_both_particle_sensors_measure_clean_air_again_after_the_test(bench: Bench) -> None:
    bench.set_dust(DIRTY_AIR)
    bench.set_fine_dust(DIRTY_AIR)
    assert bench.peers.fine_dust.values == DIRTY_AIR
    bench.restore()

    assert bench.peers.dust.values == bench.peers.fine_dust.values == CLEAN_AIR


async def test_the_pictures_that_a_camera_sent_are_kept(folder: Path, bench: Bench) -> None:
    bench.show(BARS)
    async with Guest(folder / "upstream.usb") as guest:
        await guest.attached()
        video = Video(guest)
        await video.start()
        shown = [(await video.frame()).data for _ in range(2)]
        kept = keep(folder, "test_bars[1]", None, bench)

    sent = sorted(file for file in kept.iterdir() if "upstream-sent" in file.name)
    assert [file.read_bytes() for file in sent[:2]] == shown
    assert all(file.name.endswith("-light-0.00-320x240.jpg") for file in sent)
    assert (kept / "upstream-lit.jpg").exists()


@dataclass(frozen=True)
class Broken:
    """A bench that nothing can be had from, and a board that does not answer."""

    console: bytes = b"a panic"

    @property
    def power(self) -> Broken:
        return self

    @property
    def shell(self) -> Broken:
        return self

    def run(self, command: str, timeout: float) -> None:  # noqa: ARG002  # labgrid's signature
        raise TimeoutError("no answer")

    def state(self) -> None:
        raise ValueError("nonsense")


def test_what_cannot_be_kept_is_named_and_all_else_is_kept(tmp_path: Path) -> None:
    factory = tmp_path / "factory.txt"
    factory.write_bytes(b"login:")

    kept = keep(tmp_path, "test_x", Broken(), Broken(), [factory, tmp_path / "gone.txt"])

    assert (kept / "console.txt").read_bytes() == b"a panic"
    assert (kept / "factory.txt").read_bytes() == b"login:"
    missing = (kept / "missing.txt").read_text().splitlines()
    assert missing[0] == "journal: TimeoutError: no answer"
    assert "bench: ValueError: nonsense" in missing
    assert missing[-1].startswith("gone.txt: FileNotFoundError")


def test_of_a_whole_bench_nothing_is_missing(tmp_path: Path, bench: Bench) -> None:
    bench.show(BARS)
    bench.broker.send("ductwatch/rig/availability", b"online")
    bench.messages.until(lambda message: message.payload == b"online", since=0, limit_s=30)
    kept = keep(tmp_path, "test_x", None, bench)

    assert (kept / "messages.txt").read_text() == "ductwatch/rig/availability online"
    assert json.loads((kept / "bench.json").read_text())["bridge"] == "none"
    assert not (kept / "missing.txt").exists()
