"""What the image adds to Debian: its scripts run, its units fit together."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.system.files import RADIO
from hil.image.boards import BOARDS, wheel_tags
from hil.image.rootfs import ENABLED, MASKED, SETTINGS, packages
from tests.packaging.test_service import REPOSITORY, said_of_system, with_systemd

UNITS = SETTINGS / "etc/systemd/system"
MAKE_KEY = SETTINGS / "usr/lib/ductwatch/make-host-key"


def make_key(board: Path) -> bytes:
    """As ssh.service does at each start of a board whose partitions are below `board`."""
    script = re.sub(r"(?<![\w/])/(data|run)/", rf"{board}/\1/", MAKE_KEY.read_text())
    (board / "data").mkdir(exist_ok=True)
    (board / "run").mkdir(exist_ok=True)
    subprocess.run(["sh", "-c", script], check=True, timeout=20)
    return (board / "data/ssh/ssh_host_ed25519_key").read_bytes()


@pytest.mark.real
def test_each_board_makes_its_own_key_once(tmp_path: Path) -> None:
    first = make_key(tmp_path)

    assert make_key(tmp_path) == first
    assert (tmp_path / "data/ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.real
@pytest.mark.parametrize("half", ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"])
def test_a_key_that_a_power_cut_left_empty_is_made_anew(tmp_path: Path, half: str) -> None:
    make_key(tmp_path)
    (tmp_path / "data/ssh" / half).write_bytes(b"")

    assert b"PRIVATE KEY" in make_key(tmp_path)
    assert (tmp_path / "data/ssh" / half).stat().st_size


@with_systemd
@pytest.mark.real
def test_units_with_the_images_changes_start_without_a_cycle(tmp_path: Path) -> None:
    """All that the image enables, besides systemd's own units; what runs in them is not looked at."""
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    ssh = "[Unit]\nAfter=network.target\n[Service]\nExecStart=/bin/true\n"
    (tmp_path / "ssh.service").write_text(ssh)
    for name in ("boot-firmware", "data"):
        where = name.replace("-", "/")
        (tmp_path / f"{name}.mount").write_text(f"[Mount]\nWhat=/dev/disk/by-label/{name}\nWhere=/{where}\n")
    for name in ("ductwatch.service", "ductwatch-preset.service"):
        (tmp_path / name).write_text((REPOSITORY / "packaging" / name).read_text())
    for unit in tmp_path.glob("**/*.[sc]*"):
        if unit.is_file():
            unit.write_text(
                re.sub(r"^(ExecStart(Pre)?=)[/\w].*(\\\n.*)*", r"\1/bin/true", unit.read_text(), flags=re.M)
            )
    wants = tmp_path / "multi-user.target.wants"
    wants.mkdir()
    for name in (*ENABLED, "boot-firmware.mount", "data.mount"):
        own = tmp_path / name
        (wants / name).symlink_to(own if own.exists() else f"/usr/lib/systemd/system/{name}")

    assert [line for line in said_of_system(tmp_path) if "cycle" in line or str(tmp_path) in line] == []


def settings(*files: Path) -> dict[str, list[str]]:
    """Each key of a unit and its drop-ins with the words of all its values; an empty value takes back those before."""
    values: dict[str, list[str]] = {}
    for line in "\n".join(file.read_text() for file in files).splitlines():
        key, assigned, value = line.partition("=")
        if assigned and not line.startswith("#"):
            values[key] = [*values.get(key, []), *value.split()] if value else []
    return values


def test_the_firmware_starts_when_the_modules_are_there_that_its_devices_need() -> None:
    """DeviceAllow knows the groups of /proc/devices at the start only."""
    unit = settings(REPOSITORY / "packaging/ductwatch.service", UNITS / "ductwatch.service.d/image.conf")
    loaded = (SETTINGS / "etc/modules-load.d/ductwatch.conf").read_text().split()
    asked_for = [name for name in unit["Wants"] if name.startswith("modprobe@")]

    assert set(asked_for) == {
        f"modprobe@{module}.service" for module in loaded if f"modprobe@{module}.service" in MASKED
    }
    assert "systemd-modules-load.service" in unit["After"]


def test_radios_keep_the_name_that_wi_fi_is_set_up_for() -> None:
    link = SETTINGS / "etc/systemd/network/70-ductwatch-wifi.link"

    assert settings(link)["Type"] == ["wlan"]
    assert settings(link)["NamePolicy"] == []
    assert link.name < "73-usb-net-by-mac.link" < "99-default.link"  # systemd's own; the first that fits counts
    assert f'KERNEL=="{RADIO}"' in (SETTINGS / "etc/udev/rules.d/70-ductwatch-wifi.rules").read_text()
    assert (UNITS / f"wpa_supplicant@{RADIO}.service.d").is_dir()


def test_what_a_watchdog_needs_is_not_kept_out() -> None:
    kept_out = (SETTINGS / "etc/modprobe.d/ductwatch.conf").read_text()

    for module in ("i2c_i801", "i2c_smbus", *(name for board in BOARDS.values() for name in board.watchdogs)):
        assert f"blacklist {module}" not in kept_out
    assert {"iTCO_wdt", "wdat_wdt"} <= set(BOARDS["amd64"].watchdogs)


def test_nothing_is_both_enabled_and_masked() -> None:
    assert set(ENABLED) & set(MASKED) == set()
    assert len(set(MASKED)) == len(MASKED)


def test_only_the_raspberry_pis_board_has_its_firmware() -> None:
    assert "raspi-firmware" in packages(BOARDS["arm64"])
    assert "raspi-firmware" not in packages(BOARDS["amd64"])


def test_wheels_for_the_images_c_library_or_an_older_one_fit() -> None:
    tags = wheel_tags("aarch64")

    assert tags[0] == "manylinux_2_36_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(tags)
