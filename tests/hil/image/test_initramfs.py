"""The initramfs takes the drivers that a root needs, and gives the data partition the rest of the card."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from hil.image.boards import BOARDS
from hil.image.disk import DISK_ID, MIB, SECTOR, build_disk
from hil.image.initramfs import DRIVERS, INIT, with_dependencies
from hil.image.shell import Failed

MODULES = """
kernel/drivers/usb/storage/uas.ko: kernel/drivers/usb/storage/usb-storage.ko kernel/drivers/scsi/scsi_mod.ko
kernel/drivers/usb/storage/usb-storage.ko: kernel/drivers/scsi/scsi_mod.ko
kernel/drivers/scsi/scsi_mod.ko:
kernel/drivers/mmc/host/sdhci-iproc.ko.xz: kernel/drivers/mmc/host/sdhci.ko.xz
kernel/drivers/mmc/host/sdhci.ko.xz:
kernel/sound/core/snd.ko:
"""
BUILT_IN = "kernel/drivers/virtio/virtio_mmio.ko\n"
EVERYTHING = "".join(f"kernel/{pattern}.ko\n" for board in BOARDS.values() for pattern in (*DRIVERS, *board.drivers))

# Of Debian's arm64 kernel 6.1.192-2, what a Raspberry Pi 4 finds its root and starts anew by: bcm2711-rpi-4-b.dts
OF_A_PI_4 = (
    "drivers/mmc/host/sdhci-iproc",  # the SD card's host, emmc2
    "drivers/mmc/core/mmc_block",
    "drivers/regulator/fixed",  # vmmc-supply: sd_vcc_reg
    "drivers/regulator/gpio-regulator",  # vqmmc-supply: sd_io_1v8_reg
    "drivers/reset/reset-raspberrypi",  # USB
    "drivers/usb/host/xhci-pci",
    "drivers/watchdog/bcm2835_wdt",
)
DATA_BYTES = 2 * MIB
MAX_SECTORS = 2**32 - 1  # an MBR has four bytes for it


def test_a_driver_comes_with_all_that_it_needs() -> None:
    assert with_dependencies(MODULES, BUILT_IN, ("drivers/usb/storage/uas",)) == [
        "kernel/drivers/scsi/scsi_mod.ko",
        "kernel/drivers/usb/storage/uas.ko",
        "kernel/drivers/usb/storage/usb-storage.ko",
    ]


def test_compressed_modules_are_known_by_the_same_names() -> None:
    assert with_dependencies(MODULES, BUILT_IN, ("drivers/mmc/host/sdhci-*",)) == [
        "kernel/drivers/mmc/host/sdhci-iproc.ko.xz",
        "kernel/drivers/mmc/host/sdhci.ko.xz",
    ]


def test_what_is_not_asked_for_stays_out() -> None:
    assert "kernel/sound/core/snd.ko" not in with_dependencies(MODULES, BUILT_IN, ("drivers/*",))


def test_a_driver_that_is_part_of_the_kernel_is_not_missed() -> None:
    assert with_dependencies(MODULES, BUILT_IN, ("drivers/virtio/virtio_mmio",)) == []


def test_a_driver_that_the_kernel_has_under_no_such_name_ends_the_build() -> None:
    patterns = ("drivers/usb/storage/uas", "drivers/mmc/host/gone", "drivers/ata/ahci*")
    with pytest.raises(Failed, match=r"drivers/mmc/host/gone, drivers/ata/ahci\*:.*boards\.py"):
        with_dependencies(MODULES, BUILT_IN, patterns)


@pytest.mark.parametrize("module", OF_A_PI_4)
def test_a_raspberry_pi_4_finds_its_root_and_can_start_anew(module: str) -> None:
    dependencies = f"kernel/{module}.ko:\n"

    assert with_dependencies(dependencies, EVERYTHING, (*DRIVERS, *BOARDS["arm64"].drivers)) == [f"kernel/{module}.ko"]


def test_a_raspberry_pi_can_start_anew_also_when_it_finds_no_root() -> None:
    script = INIT.read_text()

    assert script.index("\nmodprobe -q bcm2835_wdt") < script.index("\n  find_root\n")


@pytest.mark.real
def test_the_script_is_one() -> None:
    subprocess.run(["sh", "-n", INIT], check=True, timeout=10)


def image(folder: Path) -> Path:
    """A card's image, with a small boot partition, a root that does not fill its last MiB, and the data."""
    sizes = {"boot": MIB, "root": 3 * MIB - 7, "data": DATA_BYTES}
    for name, size in sizes.items():
        with (folder / name).open("wb") as file:
            file.write(name.encode())
            file.truncate(size)
    disk = folder / "dev/card"
    disk.parent.mkdir()
    build_disk(folder / "boot", folder / "root", folder / "data", disk)
    return disk


def partitions(disk: Path) -> list[tuple[int, int]]:
    """First sector and number of sectors of each, as an MBR has them."""
    with disk.open("rb") as file:
        mbr = file.read(SECTOR)
    return [struct.unpack_from("<II", mbr, 446 + 16 * number + 8) for number in range(3)]


def grow(disk: Path, sectors: int) -> str:
    """Run the initramfs's function as on a card of that many sectors; returns what it had the kernel do."""
    found = re.search(r"^grow_data\(\) \{.*?^\}", INIT.read_text(), flags=re.M | re.S)
    assert found
    sys_block = disk.parent.parent / "card"
    third = sys_block / "card3"
    third.mkdir(parents=True, exist_ok=True)
    start, size = partitions(disk)[2]
    for name, value in ((third / "partition", 3), (third / "start", start), (third / "size", size)):
        name.write_text(f"{value}\n")
    (sys_block / "size").write_text(f"{sectors}\n")
    script = f'blockdev() {{ echo "$@"; }}\ndisk={sys_block}\n{found[0]}\ngrow_data'.replace("/dev/", f"{disk.parent}/")
    script = script.replace(f"{disk.parent}/null", "/dev/null")
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


@pytest.mark.real
def test_each_partition_begins_at_a_whole_mib_and_holds_its_part(tmp_path: Path) -> None:
    disk = image(tmp_path)

    assert partitions(disk) == [(2048, 2048), (4096, 6144), (10240, DATA_BYTES // SECTOR)]
    with disk.open("rb") as file:
        begins = [(file.seek(start * SECTOR), file.read(4))[1] for start, _ in partitions(disk)]
        file.seek(440)
        assert file.read(4) == struct.pack("<I", DISK_ID)
    assert begins == [b"boot", b"root", b"data"]


@pytest.mark.real
@pytest.mark.parametrize(
    ("sectors", "whole"),
    [(62_333_952, 62_333_952), (2**33, 10240 + MAX_SECTORS)],
    ids=["a card of 32 GB", "a disk of 4 TB"],
)
def test_the_data_gets_the_rest_of_the_card(tmp_path: Path, sectors: int, whole: int) -> None:
    disk = image(tmp_path)
    before = partitions(disk)

    told = grow(disk, sectors)

    assert partitions(disk) == [*before[:2], (10240, whole - 10240)]
    assert told == f"--rereadpt {disk}"
    assert disk.stat().st_size == (partitions(disk)[0][0] + 2048 + 6144) * SECTOR + DATA_BYTES  # nothing cut off


@pytest.mark.real
def test_a_card_that_is_no_larger_is_not_written_to(tmp_path: Path) -> None:
    disk = image(tmp_path)
    before = disk.read_bytes()

    assert grow(disk, len(before) // SECTOR + 100) == ""
    assert disk.read_bytes() == before
