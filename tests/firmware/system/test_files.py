"""What a configuration makes of a board image, and that no value can add a line to a system file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.settings import from_table
from firmware.system.files import Entry, decide
from firmware.system.settings import System
from tests.firmware.system.keys import public_key

WPA = "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf"


def entries(**system: Any) -> dict[str, Entry]:
    return {str(entry.path): entry for entry in decide(from_table(system, System))}


def texts(**system: Any) -> dict[str, str]:
    return {path: entry.text for path, entry in entries(**system).items() if entry.text is not None}


def test_nothing_asked_for_is_nothing_written() -> None:
    assert entries() == {}


@pytest.mark.parametrize(
    ("hostname", "line"),
    [("ahu-3", "127.0.1.1 ahu-3"), ("ahu-3.example.com", "127.0.1.1 ahu-3.example.com ahu-3")],
)
def test_the_board_knows_its_own_name(hostname: str, line: str) -> None:
    written = texts(hostname=hostname)

    assert written["/etc/hostname"] == f"{hostname}\n"
    assert line in written["/etc/hosts"].splitlines()
    assert "127.0.0.1 localhost" in written["/etc/hosts"].splitlines()


def test_the_clock_is_set_to_the_site() -> None:
    written = entries(timezone="Europe/Berlin", ntp=["ntp.example.com", "10.0.0.1"])

    assert str(written["/etc/localtime"].target) == "/usr/share/zoneinfo/Europe/Berlin"
    assert written["/etc/systemd/timesyncd.conf.d/preset.conf"].text == "[Time]\nNTP=ntp.example.com 10.0.0.1\n"


def test_root_logs_in_by_the_keys_given() -> None:
    written = entries(ssh_keys=[public_key(), public_key(comment=" you")])

    assert written["/root/.ssh"].mode == 0o700
    assert written["/root/.ssh/authorized_keys"].mode == 0o600
    assert written["/root/.ssh/authorized_keys"].text == f"{public_key()}\n{public_key(comment=' you')}\n"


def test_an_interface_with_addresses_of_its_own() -> None:
    network = {
        "interface": "eth0",
        "address": ["192.168.1.20/24", "fd00::20/64"],
        "gateway": "192.168.1.1",
        "dns": ["192.168.1.1", "9.9.9.9"],
    }

    assert texts(network=[network])["/etc/systemd/network/10-preset-01.network"] == (
        "[Match]\nName=eth0\n\n[Network]\nAddress=192.168.1.20/24\nAddress=fd00::20/64\nGateway=192.168.1.1\n"
        "DNS=192.168.1.1\nDNS=9.9.9.9\n"
    )


def test_name_servers_of_ones_own_replace_those_of_dhcp() -> None:
    text = texts(network=[{"dns": "9.9.9.9"}])["/etc/systemd/network/10-preset-01.network"]

    assert text.startswith("[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=yes\nDNS=9.9.9.9\n")
    assert text.count("UseDNS=no") == 3  # DHCPv4, DHCPv6, router advertisements


def test_an_interface_named_outdoes_a_pattern_that_fits_it_in_whatever_order() -> None:
    networks = [{}, {"interface": "e*"}, {"interface": "eth0"}]
    written = texts(network=networks, wifi={"ssid": "duct"})

    matches = [text.splitlines()[1] for path, text in sorted(written.items()) if path.endswith(".network")]
    assert matches == ["Name=eth0", "Name=wlan0", "Name=e*", "Type=ether"]


def test_the_radio_gives_way_to_a_wire() -> None:
    text = texts(wifi={"ssid": "duct"})["/etc/systemd/network/10-preset-01.network"]

    assert text.startswith("[Match]\nName=wlan0\n\n[Network]\nDHCP=yes\n")
    assert text.count("RouteMetric=2048") == 2


def test_a_radio_network_with_and_without_passphrase() -> None:
    closed = entries(wifi={"ssid": "Halle 3", "passphrase": "correct horse", "country": "de"})[WPA]

    assert closed.mode == 0o600
    assert 'network={\nssid=48616c6c652033\nscan_ssid=1\nkey_mgmt=WPA-PSK SAE\npsk="correct horse"\n}\n' in str(
        closed.text
    )
    assert "country=DE" in str(closed.text).splitlines()
    assert "key_mgmt=NONE" in texts(wifi={"ssid": "open"})[WPA].splitlines()


def test_certificates_and_passwords_are_for_the_firmware_alone() -> None:
    written = entries(files={"board.key": "-----BEGIN\n"})

    assert written["/run/ductwatch"][3:] == (0o750, "ductwatch")
    assert written["/run/ductwatch"].is_directory
    assert written["/run/ductwatch/board.key"][1:] == ("-----BEGIN\n", None, 0o440, "ductwatch")


HARMLESS: Mapping[str, Mapping[str, Any]] = {
    "hostname": {"hostname": "board"},
    "timezone": {"timezone": "UTC"},
    "ntp": {"ntp": ["ntp"]},
    "ssh_keys": {"ssh_keys": [public_key(comment=" comment")]},
    "interface": {"network": [{"interface": "eth0"}]},
    "address": {"network": [{"address": ["fe80::1/64"]}]},
    "gateway": {"network": [{"address": ["10.0.0.2/24"], "gateway": "10.0.0.1"}]},
    "dns": {"network": [{"dns": ["fe80::1"]}]},
    "ssid": {"wifi": {"ssid": "duct"}},
    "passphrase": {"wifi": {"ssid": "duct", "passphrase": "passphrase"}},
    "country": {"wifi": {"ssid": "duct", "country": "DE"}},
}
"""One setting each, with a value that something nasty is put into."""

NASTY = st.sampled_from(
    ["\n", "\r", "\0", "\t", "\v", "\x1b", "\x7f", "\x85", "\u2028", '"', "'", "\\", "}", "#", "%", " ", "="]
)
LINE_START = re.compile(r"^(?:\w+=|\[\w+]|}|)")
SNIPPETS = st.lists(NASTY | st.text(max_size=5) | st.sampled_from(["psk=x", "DNS=6.6.6.6", "[Match]"]), max_size=4)


@pytest.mark.parametrize("setting", HARMLESS)
@given(at=st.integers(0, 100), snippet=SNIPPETS.map("".join), alone=st.booleans())
def test_no_value_adds_a_line_to_a_system_file(setting: str, at: int, snippet: str, alone: bool) -> None:
    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(inner) if last(key, value) else inner for key, inner in value.items()}
        if isinstance(value, list):
            return [*map(spoil, value)]
        return snippet if alone else value[:at] + snippet + value[at:]

    try:
        spoilt = texts(**spoil(dict(HARMLESS[setting])))
    except msgspec.ValidationError:
        return

    assert {path: shape(text) for path, text in spoilt.items()} == {
        path: shape(text) for path, text in texts(**HARMLESS[setting]).items()
    }


def last(key: str, table: dict[str, Any]) -> bool:
    return key == list(table)[-1]


def shape(text: str) -> list[str]:
    """The lines of a file by what they begin with, split wherever any of its readers might split them."""
    return [LINE_START.findall(line)[0] for line in text.splitlines()]


@given(
    passphrase=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=8, max_size=63),
    ssid=st.text(min_size=1, max_size=32),
)
def test_wpa_supplicant_reads_the_very_ssid_and_passphrase(passphrase: str, ssid: str) -> None:
    try:
        text = texts(wifi={"ssid": ssid, "passphrase": passphrase})[WPA]
    except msgspec.ValidationError:
        assert not ssid.isprintable() or len(ssid.encode()) > 32
        return

    read = dict(as_wpa_supplicant_does(line) for line in text.splitlines() if "=" in line)
    assert (bytes.fromhex(read["ssid"]).decode(), read["psk"]) == (ssid, f'"{passphrase}"')


def as_wpa_supplicant_does(line: str) -> tuple[str, str]:
    """A comment begins after the last quote, and a passphrase goes from its first to its last (config_file.c)."""
    end = line.rfind('"') if line.count('"') > 1 else 0
    comment = line.find("#", end)
    key, _, value = (line if comment < 0 else line[:comment]).rstrip(" \t\r").partition("=")
    return key, value
