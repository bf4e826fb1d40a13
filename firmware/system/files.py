"""Which system files the settings make of a board image. Pure: says what to write, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import PurePosixPath
from typing import NamedTuple

from firmware.system.settings import FILES, Network, System, Wifi

ETC = PurePosixPath("/etc")
ZONES = PurePosixPath("/usr/share/zoneinfo")
SSH_KEYS = PurePosixPath("/root/.ssh/authorized_keys")
RADIO = "wlan0"
RADIO_RANK = 1
RADIO_NETWORK = f"""\
[Match]
Name={RADIO}

[Network]
DHCP=yes

[DHCPv4]
RouteMetric=2048

[IPv6AcceptRA]
RouteMetric=2048
"""
"""A wire has systemd-networkd's 1024, so it is taken first where there are both."""

HOSTS = """\
127.0.0.1 localhost
127.0.1.1 {names}
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
"""


class Entry(NamedTuple):
    """What root has at a path: a file with `text`, a symbolic link to `target`, or with neither a directory."""

    path: PurePosixPath
    text: str | None = None
    target: PurePosixPath | None = None
    mode: int = 0o644
    group: str = "root"

    @property
    def is_directory(self) -> bool:
        return self.text is None and self.target is None


def decide(system: System) -> Sequence[Entry]:
    """All that is to be written, in an order in which directories come before what is in them."""
    return [
        *_name(system),
        *_time(system),
        *_ssh(system),
        *_networks(system),
        *_radio(system),
        *_files(system),
    ]


def _name(system: System) -> Iterator[Entry]:
    if system.hostname is not None:
        short, dot, _ = system.hostname.partition(".")
        yield Entry(ETC / "hostname", f"{system.hostname}\n")
        yield Entry(ETC / "hosts", HOSTS.format(names=f"{system.hostname} {short}" if dot else short))


def _time(system: System) -> Iterator[Entry]:
    if system.timezone is not None:
        yield Entry(ETC / "localtime", target=ZONES / system.timezone)
        yield Entry(ETC / "timezone", f"{system.timezone}\n")
    if system.ntp:
        yield Entry(ETC / "systemd/timesyncd.conf.d/preset.conf", f"[Time]\nNTP={' '.join(system.ntp)}\n")


def _ssh(system: System) -> Iterator[Entry]:
    if system.ssh_keys:
        yield Entry(SSH_KEYS.parent, mode=0o700)
        yield Entry(SSH_KEYS, "".join(f"{key}\n" for key in system.ssh_keys), mode=0o600)


def _networks(system: System) -> Iterator[Entry]:
    """The first file that matches an interface counts, by its name: so a name comes before a pattern that fits it."""
    texts = [(_rank(network), _network(network)) for network in system.network]
    if system.wifi is not None:
        texts.append((RADIO_RANK, RADIO_NETWORK))  # after a table of its own, if it has one
    for number, (_, text) in enumerate(sorted(texts, key=itemgetter(0)), start=1):
        yield Entry(ETC / f"systemd/network/10-preset-{number:02}.network", text)


def _rank(network: Network) -> int:
    if network.interface is None:
        return 3
    return 2 if {"*", "?"} & set(network.interface) else 0


def _network(network: Network) -> str:
    lines = ["[Match]"]
    lines += ["Type=ether", "Kind=!*"] if network.interface is None else [f"Name={network.interface}"]
    lines += ["", "[Network]"]
    lines += [f"Address={address}" for address in network.address] or ["DHCP=yes"]
    lines += [f"Gateway={gateway}" for gateway in network.gateway]
    lines += [f"DNS={server}" for server in network.dns]
    if network.dns and not network.address:
        for source in ("DHCPv4", "DHCPv6", "IPv6AcceptRA"):
            lines += ["", f"[{source}]", "UseDNS=no"]
    return _lines(lines)


def _radio(system: System) -> Iterator[Entry]:
    if system.wifi is not None:
        path = ETC / f"wpa_supplicant/wpa_supplicant-{RADIO}.conf"
        yield Entry(path, _lines(_wpa_supplicant(system.wifi)), mode=0o600)


def _wpa_supplicant(wifi: Wifi) -> Iterator[str]:
    yield "ctrl_interface=/run/wpa_supplicant"
    yield "pmf=1"  # protected frames where the driver can and the access point will: WPA3 demands them
    if wifi.country is not None:
        yield f"country={wifi.country}"
    yield "network={"
    yield f"ssid={wifi.ssid.encode().hex()}"
    yield "scan_ssid=1"  # finds also a network that hides its name
    if wifi.passphrase is None:
        yield "key_mgmt=NONE"
    else:
        yield "key_mgmt=WPA-PSK SAE"
        yield f'psk="{wifi.passphrase}"'  # to the last quote of the line, so those inside need no escape
    yield "}"


def _files(system: System) -> Iterator[Entry]:
    if system.files:
        yield Entry(FILES, mode=0o750, group="ductwatch")
    for name, text in system.files.items():
        yield Entry(FILES / name, text, mode=0o440, group="ductwatch")


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
