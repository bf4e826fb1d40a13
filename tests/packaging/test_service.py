"""packaging/ductwatch.service grants what the firmware needs, and not more."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from drivers.settings import Duration
from firmware.__main__ import EX_USAGE
from firmware.app import STAGE_LIMIT_S
from firmware.cli import parser
from firmware.config import Board, RealtimeSettings
from firmware.operate import FEED_S

REPOSITORY = Path(__file__).parents[2]
UNIT = REPOSITORY / "packaging" / "ductwatch.service"
SYSUSERS = (REPOSITORY / "packaging" / "ductwatch.sysusers").read_text()
UDEV = (REPOSITORY / "packaging" / "ductwatch.rules").read_text()
MOST_EXPOSED = 20  # tenths, as systemd-analyze's --threshold counts; 1.9 measured with systemd 252
OLDEST = 252  # Debian 12


def settings() -> dict[str, list[str]]:
    """Each key of the unit with its values, in order; what is commented out is not there."""
    values = defaultdict(list)
    for line in UNIT.read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            values[key].append(value)
    return values


def one(key: str) -> str:
    (value,) = settings()[key]
    return value


def test_the_command_is_one_that_ductwatch_takes() -> None:
    arguments = parser().parse_args(shlex.split(one("ExecStart"))[1:])

    assert (arguments.command, arguments.quiet) == ("run", True)
    assert arguments.config == Path("/etc/ductwatch/config.toml")


def test_it_starts_again_whatever_happens_but_not_with_a_wrong_configuration() -> None:
    assert one("Restart") == "always"
    assert one("RestartPreventExitStatus") == str(EX_USAGE)


def test_a_watchdog_that_ends_it_again_and_again_starts_the_board_anew() -> None:
    cycle_s = STAGE_LIMIT_S + Duration.parse(one("WatchdogSec")) + Duration.parse(one("RestartSec"))

    assert one("StartLimitAction") == "reboot"
    assert int(one("StartLimitBurst")) * cycle_s < Duration.parse(one("StartLimitIntervalSec"))


def test_the_watchdog_waits_for_several_feeds_and_a_stop_is_not_cut_short() -> None:
    assert one("Type") == "notify"
    assert Duration.parse(one("WatchdogSec")) >= 10 * FEED_S
    assert Duration.parse(one("TimeoutStopSec")) > 2  # within which the firmware stops


def test_its_state_is_where_the_firmware_keeps_it() -> None:
    assert Path("/var/lib", one("StateDirectory")) == Board().data
    assert re.search(rf"^u {one('User')} .* {Board().data}$", SYSUSERS, re.MULTILINE)


def test_the_password_is_where_the_example_looks_for_it() -> None:
    (credential,) = re.findall(r"^#LoadCredential=([^:]+):/etc/ductwatch/", UNIT.read_text(), re.MULTILINE)

    expected = f'password_file = "/run/credentials/{UNIT.name}/{credential}"'
    assert expected in (REPOSITORY / "config.example.toml").read_text()


def test_verdicts_may_be_punctual_without_any_capability() -> None:
    assert int(one("LimitRTPRIO")) >= RealtimeSettings().priority
    assert (one("LimitMEMLOCK"), one("RestrictRealtime")) == ("infinity", "no")
    assert (one("CapabilityBoundingSet"), one("AmbientCapabilities")) == ("", "")


@pytest.mark.parametrize(
    ("group_of_devices", "group_of_users", "module"),
    [
        ("char-video4linux", "video", "videodev"),
        ("char-i2c", "i2c", "i2c_dev"),
        ("char-gpiochip", "gpio", None),  # part of every kernel that has GPIO
        ("char-ttyS", "dialout", None),
        ("char-ttyAMA", "dialout", None),
        ("char-ttyUSB", "dialout", "usbserial"),
        ("char-ttyACM", "dialout", "cdc_acm"),
    ],
)
def test_devices_are_within_reach_also_those_plugged_in_later(
    group_of_devices: str, group_of_users: str, module: str | None
) -> None:
    assert f"{group_of_devices} rw" in settings()["DeviceAllow"]
    assert group_of_users in one("SupplementaryGroups").split()
    if module is not None:
        assert f"modprobe@{module}.service" in one("Wants").split()
        assert f"modprobe@{module}.service" in " ".join(settings()["After"]).split()


@pytest.mark.parametrize("group", ["gpio", "i2c"])
def test_groups_that_plain_debian_lacks_are_made_and_own_their_devices(group: str) -> None:
    assert re.search(rf"^g {group} ", SYSUSERS, re.MULTILINE)
    assert f'GROUP="{group}", MODE="0660"' in UDEV


def test_a_check_by_hand_reaches_the_devices_that_the_service_does() -> None:
    for group in one("SupplementaryGroups").split():
        assert re.search(rf"^g {group} ", SYSUSERS, re.MULTILINE)
        assert re.search(rf"^m {one('User')} {group}$", SYSUSERS, re.MULTILINE)


def test_the_board_can_look_after_its_health() -> None:
    allowed = " ".join(value for value in settings()["SystemCallFilter"] if not value.startswith("~"))

    assert one("ProcSubset") == "all"  # /proc/stat, /proc/meminfo
    assert one("ProtectClock") == "no"  # forbids adjtimex(2), also for asking whether the clock is synchronised
    assert {"adjtimex", "clock_adjtime", "clock_adjtime64"} <= set(allowed.split())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DevicePolicy", "closed"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("ProtectProc", "invisible"),
        ("PrivateTmp", "yes"),
        ("PrivateUsers", "yes"),
        ("NoNewPrivileges", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictNamespaces", "yes"),
        ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
        ("SystemCallArchitectures", "native"),
        ("UMask", "0077"),
    ],
)
def test_nothing_else_is_within_reach(key: str, value: str) -> None:
    assert one(key) == value


def systemd_version() -> int:
    """Of the systemd-analyze on this machine; 0 where there is none."""
    if shutil.which("systemd-analyze") is None:
        return 0
    told = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, timeout=60, check=True)
    return int(re.findall(r"\d+", told.stdout)[0])


with_systemd = pytest.mark.skipif(
    systemd_version() < OLDEST, reason=f"systemd-analyze {OLDEST} is not here: the settings were checked one by one"
)


def said_of_system(units: Path) -> list[str]:
    """What systemd-analyze says of a whole system with these units over its own, line by line."""
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "multi-user.target"],
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stderr.splitlines()


@with_systemd
@pytest.mark.real
def test_systemd_knows_every_setting(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text(), flags=re.MULTILINE))

    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )

    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


@with_systemd
@pytest.mark.real
def test_systemd_finds_it_little_exposed() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
