"""packaging/ductwatch-preset.service comes before all that reads what it writes, and holds nothing up."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from drivers.settings import Duration
from firmware.cli import parser
from tests.packaging.test_service import REPOSITORY, said_of_system, with_systemd

UNIT = REPOSITORY / "packaging" / "ductwatch-preset.service"
LINES = [line for line in UNIT.read_text().splitlines() if line and line[0] not in "#["]


def words(key: str) -> list[str]:
    return " ".join(line.partition("=")[2] for line in LINES if line.startswith(f"{key}=")).split()


def test_the_command_is_one_that_ductwatch_takes() -> None:
    (line,) = [line for line in LINES if line.startswith("ExecStart=")]
    arguments = parser().parse_args(shlex.split(line)[1:])

    assert (arguments.command, arguments.config) == ("preset", Path("/boot/firmware/ductwatch.toml"))
    assert arguments.root == Path("/")


@pytest.mark.parametrize(
    "unit",
    ["systemd-networkd.service", "network-pre.target", "systemd-timesyncd.service", "ssh.service", "ductwatch.service"],
)
def test_it_comes_before_all_that_reads_what_it_writes(unit: str) -> None:
    assert unit in words("Before")


def test_what_does_not_read_it_need_not_wait() -> None:
    """Under emulation it takes four seconds. All ordinary units wait for sysinit.target."""
    assert "sysinit.target" not in words("Before")


def test_it_comes_after_the_boot_partition_and_the_group_but_does_without() -> None:
    before_it = {"systemd-remount-fs.service", "boot-firmware.mount", "systemd-sysusers.service"}
    assert set(words("After")) == before_it  # and not local-fs.target: /data takes its time
    assert words("Requires") + words("RequiresMountsFor") == []
    assert words("WantedBy") == ["sysinit.target"]  # not RequiredBy: a wrong file stops nothing


def test_it_ends_in_time_and_says_on_the_console_what_is_wrong() -> None:
    assert words("StandardError") == ["journal+console"]
    assert Duration.parse(words("TimeoutStartSec")[0]) <= 60


@with_systemd
@pytest.mark.real
def test_systemd_starts_it_in_a_whole_system_without_a_cycle(tmp_path: Path) -> None:
    """With a boot partition, ssh, the firmware, and systemd's own units, all enabled as on the board."""
    firmware = UNIT.with_name("ductwatch.service")
    made = {
        "ssh.service": "[Unit]\nAfter=network.target\n[Service]\nExecStart=/bin/true\n",
        "boot-firmware.mount": "[Mount]\nWhat=/dev/disk/by-label/boot\nWhere=/boot/firmware\n",
        **{
            unit.name: re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.M)
            for unit in (UNIT, firmware)
        },
    }
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    wants = {
        "sysinit.target": [UNIT.name, "systemd-timesyncd.service"],
        "local-fs.target": ["boot-firmware.mount"],
        "multi-user.target": ["systemd-networkd.service", "ssh.service", firmware.name],
    }
    for target, units in wants.items():
        (tmp_path / f"{target}.wants").mkdir()
        for unit in units:
            here = tmp_path / unit
            (tmp_path / f"{target}.wants" / unit).symlink_to(
                here if here.exists() else f"/usr/lib/systemd/system/{unit}"
            )

    assert [line for line in said_of_system(tmp_path) if "cycle" in line or "ductwatch" in line] == []
