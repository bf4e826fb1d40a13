"""What the initramfs decides of a board: which number it has, and on which disk its partitions are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hil.image.initramfs import INIT
from hil.image.rootfs import SETTINGS

pytestmark = pytest.mark.real

UUID, SERIAL = "sys/class/dmi/id/product_uuid", "proc/device-tree/serial-number"
ADDRESS, CID = "sys/class/net/eth0/address", "sys/devices/mmc/block/mmcblk0/device/cid"
PLACEHOLDERS = {
    "nothing": "\n",
    "zeros": "00000000-0000-0000-0000-000000000000\n",
    "ones": "ffffffff-ffff-ffff-ffff-ffffffffffff\n",
    "a maker's example": "03000200-0400-0500-0006-000700080009\n",
}


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """What a board's kernel shows, below a folder: a card with three partitions, which the root was found on."""
    for name in ("dev", "root/etc", "sys/devices/mmc/block/mmcblk0/device"):
        (tmp_path / name).mkdir(parents=True)
    for number in (1, 2, 3):
        show(tmp_path, f"sys/devices/mmc/block/mmcblk0/mmcblk0p{number}/partition", f"{number}\n")
    with (tmp_path / "dev/mmcblk0").open("wb") as card:
        card.truncate(4096)
    return tmp_path


def show(board: Path, name: str, text: str) -> None:
    (board / name).parent.mkdir(parents=True, exist_ok=True)
    (board / name).write_text(text)


def call(board: Path, script: str) -> str:
    """Run `script` with the functions of the initramfs, on this board; returns what it prints."""
    functions = re.findall(r"^\w+\(\) \{.*?^\}", INIT.read_text(), flags=re.M | re.S)
    here = re.sub(r"(?<![\w}*])/(sys|proc|root|dev(?!/null|/urandom))/", rf"{board}/\1/", "\n".join(functions))
    lines = ("set -eu", f"disk={board}/sys/devices/mmc/block/mmcblk0", here, script)
    return subprocess.run(["sh", "-c", "\n".join(lines)], capture_output=True, text=True, check=True, timeout=10).stdout


def number(board: Path) -> str:
    return call(board, 'identify && echo "$digits"').strip()


@pytest.mark.parametrize("source", [UUID, SERIAL, ADDRESS, CID])
def test_a_number_of_the_boards_own_is_its_identity(board: Path, source: str) -> None:
    show(board, source, "10-00:00009a4f31c2\0")

    assert number(board) == "100000009a4f31c2"
    assert set((board / "dev/mmcblk0").read_bytes()) == {0}  # nothing need be written down


@pytest.mark.parametrize("placeholder", PLACEHOLDERS.values(), ids=PLACEHOLDERS)
def test_a_number_that_many_boards_have_is_passed_over(board: Path, placeholder: str) -> None:
    show(board, UUID, placeholder)
    show(board, CID, "035344534333324780d1a2b3c4015bd7\n")

    assert number(board) == "035344534333324780d1a2b3c4015bd7"


def test_a_board_without_any_number_draws_one_and_keeps_it(board: Path) -> None:
    drawn = number(board)

    assert re.fullmatch("[0-9a-f]{32}", drawn)
    assert number(board) == drawn
    assert bytes.fromhex(drawn) == (board / "dev/mmcblk0").read_bytes()[512:528]
    assert (board / "dev/mmcblk0").stat().st_size == 4096


def test_two_boards_draw_two_numbers(board: Path) -> None:
    first = number(board)
    (board / "dev/mmcblk0").write_bytes(bytes(4096))

    assert number(board) != first


def test_settings_and_data_are_on_the_disk_of_the_root_whatever_else_is_plugged_in(board: Path) -> None:
    (board / "root/etc/fstab").write_text((SETTINGS / "etc/fstab").read_text())

    call(board, "name_partitions")

    lines = [line.split() for line in (board / "root/etc/fstab").read_text().splitlines() if line[0] != "#"]
    mounted = {words[1]: Path(words[0]).name for words in lines}
    assert mounted == {"/boot/firmware": "mmcblk0p1", "/data": "mmcblk0p3"}
