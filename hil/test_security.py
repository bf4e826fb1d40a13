"""What a stranger finds."""

from __future__ import annotations

import json
import os
import socket
import subprocess

import pytest

from hil.board import Board
from hil.conftest import FOLDER
from hil.image.disk import BOOT_BYTES, MIB
from hil.report import Report

SSH = 22  # on, as the rig's preset file has a key; test_without_preset.py: off without


def greeting(port: int) -> bytes:
    """What the board says first to a stranger on a port of the bench's address that QEMU forwards."""
    with socket.create_connection((os.environ["LG_RIG_ADDRESS"], port), timeout=10) as line:
        try:
            return line.recv(64)
        except ConnectionError:
            return b""


@pytest.mark.lg_feature("emulated")
def test_ssh_answers_where_the_preset_file_has_a_key(board: Board) -> None:
    assert greeting(board.shell.networkservice.port).startswith(b"SSH-")


def test_nothing_listens_but_ssh(board: Board) -> None:
    code = (
        "import glob; rows = [l.split() for f in glob.glob('/proc/net/tcp*') for l in open(f).readlines()[1:]]; "
        "print(sorted({int(r[1].rpartition(':')[2], 16) for r in rows if r[3] == '0A'}))"
    )
    assert json.loads(board.python(code)) == [SSH]


def test_no_udp_port_is_open_but_those_of_clients(board: Board) -> None:
    """What timesyncd and resolved ask from is of ip_local_port_range; DHCP, which the rig does not use, is 68."""
    code = (
        "import glob; rows = [l.split() for f in glob.glob('/proc/net/udp*') for l in open(f).readlines()[1:]]; "
        "low, high = map(int, open('/proc/sys/net/ipv4/ip_local_port_range').read().split()); "
        "ports = {int(r[1].rpartition(':')[2], 16) for r in rows}; "
        "print(sorted(port for port in ports if not low <= port <= high))"
    )
    assert json.loads(board.python(code)) == []


def test_the_service_is_exposed_at_most_2_of_10(board: Board, report: Report) -> None:
    overall = board.run("systemd-analyze security --no-pager ductwatch.service | tail -n 1")
    exposure = float(overall.partition("ductwatch.service:")[2].split()[0])
    report.figure("exposure", exposure, "of 10")
    assert exposure <= 2.0


def test_the_service_has_no_privilege(board: Board) -> None:
    status = board.run(f"cat /proc/{board.pid}/status")
    fields = dict(line.split(":", 1) for line in status.splitlines())

    assert int(fields["Uid"].split()[0]) != 0
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1"


def test_the_root_file_system_cannot_be_written(board: Board) -> None:
    assert "ro," in board.run("grep ' /run/root/lower ' /proc/mounts")
    assert not board.tells("touch /run/root/lower/etc/evil")
    board.tells("mount -o remount,rw /run/root/lower")  # squashfs says yes to this, and stays as it is
    assert "ro," in board.run("grep ' /run/root/lower ' /proc/mounts")
    assert not board.tells("touch /run/root/lower/etc/evil")


@pytest.mark.lg_feature("emulated")
def test_nothing_was_ever_written_to_the_roots_partition(board: Board) -> None:
    """As the host sees it: no cluster of the disk between boot partition and data was allocated."""
    size = int(board.run("cat /sys/class/block/vda2/size")) * 512
    first, last = MIB + BOOT_BYTES, MIB + BOOT_BYTES + size
    found = subprocess.run(
        ["qemu-img", "map", "-U", "--output=json", FOLDER / "disk.qcow2"], capture_output=True, text=True, check=True
    )
    written = [row for row in json.loads(found.stdout) if row["depth"] == 0 and row["data"]]
    assert written
    assert not [row for row in written if row["start"] < last and row["start"] + row["length"] > first]


def test_nobody_logs_in_with_a_password(board: Board) -> None:
    shadow = board.run("cat /etc/shadow").splitlines()
    assert all(line.split(":")[1] in {"*", "!", "!*"} for line in shadow)
    assert "passwordauthentication no" in board.run("/usr/sbin/sshd -T")


def test_secrets_of_the_preset_file_are_for_the_firmware_only(board: Board) -> None:
    assert board.run("stat -c '%a %U:%G' /boot/firmware/ductwatch.toml") == "750 root:ductwatch"


def test_the_image_brought_no_ssh_key_of_its_own(board: Board) -> None:
    assert not board.tells("ls /run/root/lower/etc/ssh/ssh_host_*")
    assert board.tells("test -s /data/ssh/ssh_host_ed25519_key")
