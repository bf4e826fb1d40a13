"""`ductwatch preset`: what ends up on the board's file system, and what does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from firmware.errors import ConfigError
from firmware.preset import Unwritten, group_id, load, write
from firmware.system.files import Entry
from tests.firmware.system.keys import public_key

pytestmark = pytest.mark.real

SITE = f"""
[system]
hostname = "ahu-3"
ssh_keys = ["{public_key()}"]
[system.wifi]
ssid = "duct"
passphrase = "hunter2hunter2"
[system.files]
mqtt-password = "hunter2"
[[camera]]
name = "a camera that no driver knows"
"""
KEYS, PASSWORD = Path("root/.ssh/authorized_keys"), Path("run/ductwatch/mqtt-password")


def preset(config: Path, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firmware", "preset", "--config", str(config), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def written(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ductwatch.toml"
    path.write_text(SITE)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_one_file_makes_a_board_of_this_site(config: Path, root: Path) -> None:
    done = preset(config, root)

    assert (done.returncode, done.stderr) == (0, "")
    assert (root / "etc/hostname").read_text() == "ahu-3\n"
    assert (root / KEYS).read_text() == f"{public_key()}\n"
    assert (root / PASSWORD).read_text() == "hunter2"
    assert "  /run/ductwatch/mqtt-password  0440 root:ductwatch" in done.stdout.splitlines()
    assert "hunter2" not in done.stdout


def test_what_was_written_comes_as_json_without_secrets(config: Path, root: Path) -> None:
    told = json.loads(preset(config, root, "--json").stdout)

    assert (told["schema"], told["config"]) == ("ductwatch.preset/1", str(config))
    assert {"path": "/root/.ssh/authorized_keys", "mode": "0600", "owner": "root", "group": "root"} in told["entries"]
    assert "hunter2" not in json.dumps(told)


def test_a_second_boot_from_the_same_file_writes_the_same(config: Path, root: Path) -> None:
    preset(config, root)
    first = {path: (root / path).read_bytes() for path in written(root)}

    assert preset(config, root).returncode == 0
    assert {path: (root / path).read_bytes() for path in written(root)} == first


def test_a_board_without_the_file_keeps_its_factory_settings(tmp_path: Path, root: Path) -> None:
    done = preset(tmp_path / "none.toml", root)

    assert (done.returncode, done.stderr, written(root)) == (0, "", [])
    assert "none.toml is not there, so nothing is preset" in done.stdout


def test_a_file_without_the_table_leaves_all_as_it_is(config: Path, root: Path) -> None:
    config.write_text("[board]\nname = 'ahu-3'\n")

    done = preset(config, root)

    assert (done.returncode, written(root)) == (0, [])
    assert "presets nothing: what the image has stays" in done.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SITE.replace("hunter2hunter2", "short"), ":7: passphrase: must be 8 to 63 characters"),
        (SITE.replace("[system]", "[sytem]"), ":2: unknown table [sytem]: did you mean 'system'?"),
        (SITE.replace('"duct"', '"duct'), ": not TOML: "),
        (SITE.replace("hostname", "timezone"), ":3: timezone: there is no 'ahu-3': see /usr/share/zoneinfo"),
    ],
    ids=["value", "table", "syntax", "zone"],
)
def test_a_wrong_file_writes_nothing_and_names_the_line(config: Path, root: Path, text: str, told: str) -> None:
    config.write_text(text)

    done = preset(config, root)

    assert (done.returncode, done.stdout, written(root)) == (2, "", [])
    assert done.stderr.startswith(f"ductwatch: {config}{told}")
    assert len(done.stderr.splitlines()) == 1


def test_a_zone_is_taken_if_the_board_has_it(config: Path, tmp_path: Path) -> None:
    config.write_text("[system]\ntimezone = 'Here/There'\n")
    zone = tmp_path / "zoneinfo/Here/There"
    zone.parent.mkdir(parents=True)

    zone.write_bytes(b"# not compiled")
    with pytest.raises(ConfigError, match="there is no 'Here/There'"):
        load(config, tmp_path / "zoneinfo")

    zone.write_bytes(b"TZif2")
    assert load(config, tmp_path / "zoneinfo").timezone == "Here/There"


def test_a_root_that_cannot_be_written_to_is_said(config: Path, root: Path) -> None:
    (root / "etc").write_text("no directory")

    done = preset(config, root)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"ductwatch: {root}/etc: cannot be written: File exists. Be root")


def test_no_file_is_touched_if_any_cannot_be_made(root: Path) -> None:
    hostname = root / "hostname"
    hostname.write_text("before\n")
    (root / "run").write_text("no directory")

    with pytest.raises(Unwritten, match="cannot be written: "):
        write([entry("/hostname", "after\n"), entry("/run/password", "secret")], root, None)

    assert (hostname.read_text(), written(root)) == ("before\n", ["hostname", "run"])


def test_a_link_is_replaced_and_not_followed(root: Path) -> None:
    elsewhere = root / "elsewhere"
    elsewhere.write_text("before\n")
    (root / "hosts").symlink_to(elsewhere)

    write([entry("/hosts", "after\n"), entry("/zone", None, target=PurePosixPath("/zones/UTC"))], root, None)

    assert ((root / "hosts").read_text(), elsewhere.read_text()) == ("after\n", "before\n")
    assert (root / "zone").readlink() == Path("/zones/UTC")


@pytest.mark.usefixtures("umask")
def test_modes_are_those_asked_for_whatever_the_umask(root: Path) -> None:
    secrets = [Entry(PurePosixPath("/run/duct"), mode=0o750), entry("/run/duct/key", "secret", mode=0o440)]
    write([entry("/etc/systemd/network/10.network", "DHCP=yes"), *secrets], root, lambda _: os.getgid())

    modes = {path: (root / path).stat().st_mode & 0o7777 for path in ("etc", "etc/systemd/network", "run/duct")}
    assert modes == {"etc": 0o755, "etc/systemd/network": 0o755, "run/duct": 0o750}  # networkd is not root
    assert (root / "etc/systemd/network/10.network").stat().st_mode & 0o7777 == 0o644
    assert (root / "run/duct/key").stat().st_mode & 0o7777 == 0o440


def test_a_group_that_is_not_there_is_said_before_anything_is_written(root: Path) -> None:
    with pytest.raises(Unwritten, match="there is no group nobody-has-this"):
        write([entry("/key", "secret", group="nobody-has-this")], root, group_id)

    assert written(root) == []


def entry(
    path: str, text: str | None, *, target: PurePosixPath | None = None, mode: int = 0o644, group: str = "root"
) -> Entry:
    return Entry(PurePosixPath(path), text, target, mode, group)


def test_it_imports_neither_devices_nor_what_they_need() -> None:
    heavy = (
        "numpy",
        "asyncio",
        "ssl",
        "structlog",
        "sqlite3",
        "aiomqtt",
        "firmware.devices",
        "firmware.config",
        "model",
    )
    code = f"import sys, firmware.__main__, firmware.preset; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "[]\n"
