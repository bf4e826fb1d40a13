"""What `[system]` may say. Every value is checked as it is read, so none can end its line in a system file. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from pathlib import PurePosixPath
from typing import Self

import msgspec

from drivers.settings import Checked
from firmware.system.public_key import check_public_key

FILES = PurePosixPath("/run/ductwatch")
MAX_FILES, MAX_FILE_BYTES = 16, 64 * 1024  # a chain of ten certificates has 20 kB
MAX_NETWORKS = 16
MAX_KEYS = 64
MAX_ADDRESSES = 16  # of one kind on one interface; as many time servers
MAX_HOST = 63  # Linux takes 64 (HOST_NAME_MAX), a label of the DNS 63 (RFC 1123)
MAX_SSID_BYTES = 32  # IEEE 802.11

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"{LABEL}(?:\.{LABEL})*")
ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
INTERFACE = re.compile(r"[A-Za-z0-9*?][A-Za-z0-9._*?-]{0,14}")  # IFNAMSIZ: 15 characters
PASSPHRASE = re.compile(r"[ -~]{8,63}")  # IEEE 802.11: printable ASCII
COUNTRY = re.compile(r"[A-Za-z]{2}")
FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")

Interface = IPv4Interface | IPv6Interface
Address = IPv4Address | IPv6Address


class Hostname(Checked, str):
    """One or more labels of RFC 1123."""

    @classmethod
    def parse(cls, value: object) -> Self:
        text = _text(value)
        if not HOST.fullmatch(text) or len(text) > MAX_HOST or _is_address(text):
            raise ValueError(f"{text!r} is not a host name: use A-Z, a-z, 0-9 and -, at most {MAX_HOST} characters")
        if text.lower() == "localhost":
            raise ValueError("localhost is what every machine calls itself: choose another name")
        return cls(text)


class Zone(Checked, str):
    """A name of the time zone database. Whether it exists, only the board can tell."""

    @classmethod
    def parse(cls, value: object) -> Self:
        text = _text(value)
        if not ZONE.fullmatch(text):
            raise ValueError(f'{text!r} is not a time zone: write its name, such as "UTC" or "Europe/Berlin"')
        return cls(text)


class Server(Checked, str):
    """A host by its name or address."""

    @classmethod
    def parse(cls, value: object) -> Self:
        text = _text(value)
        if not _is_address(text) and (not HOST.fullmatch(text) or len(text) > 253):  # RFC 1035, 2.3.4
            raise ValueError(f'{text!r} is not a server: write its name or address, such as "ntp.example.com"')
        return cls(text)


class PublicKey(Checked, str):
    """A line for `authorized_keys`: type, key, comment; no options."""

    @classmethod
    def parse(cls, value: object) -> Self:
        text = _text(value).strip()
        check_public_key(text)
        return cls(text)


class InterfaceName(Checked, str):
    """The name of a network interface, or a pattern such as `en*`."""

    @classmethod
    def parse(cls, value: object) -> Self:
        text = _text(value)
        if not INTERFACE.fullmatch(text):
            raise ValueError(f'{text!r} is not an interface: write its name, such as "end0", or a pattern: "en*"')
        return cls(text)


class OwnAddresses(Checked, tuple[Interface, ...]):
    """Addresses of an interface with the length of their prefix; none for DHCP."""

    @classmethod
    def parse(cls, value: object) -> Self:
        return cls() if value == "dhcp" else cls(_own_address(_text(item)) for item in _listed(value))


class Addresses(Checked, tuple[Address, ...]):
    """Addresses of other machines."""

    @classmethod
    def parse(cls, value: object) -> Self:
        return cls(_address(_text(item)) for item in _listed(value))


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[system.network]]`: how one interface, or all that a pattern fits, get their addresses."""

    interface: InterfaceName | None = None  # every wired one
    address: OwnAddresses = OwnAddresses()
    gateway: Addresses = Addresses()
    dns: Addresses = Addresses()

    def __post_init__(self) -> None:
        if self.gateway and not self.address:
            raise ValueError("gateway is given with DHCP, which brings its own: give address as well, or neither")
        if len({gateway.version for gateway in self.gateway}) < len(self.gateway):
            raise ValueError("gateway names two of one kind: give one for IPv4, one for IPv6")
        for gateway in self.gateway:
            if not gateway.is_link_local and not any(gateway in address.network for address in self.address):
                raise ValueError(f"gateway {gateway} is in no network of this interface: check it and address")


class Ssid(Checked, str):
    """The name of a radio network."""

    @classmethod
    def parse(cls, value: object) -> Self:
        text = _text(value)
        if not text.isprintable() or not 1 <= len(text.encode()) <= MAX_SSID_BYTES:
            raise ValueError(f"{text[:40]!r} is not an SSID: 1 to {MAX_SSID_BYTES} bytes of printable text")
        return cls(text)


class Passphrase(Checked, str):
    """Of WPA2 and WPA3. Never shown."""

    @classmethod
    def parse(cls, value: object) -> Self:
        text = _text(value)
        if not PASSPHRASE.fullmatch(text):
            raise ValueError("must be 8 to 63 characters of printable ASCII; leave it out for an open network")
        return cls(text)

    def __repr__(self) -> str:
        return "Passphrase(...)"


class Country(Checked, str):
    """Where the radio is: which channels are lawful."""

    @classmethod
    def parse(cls, value: object) -> Self:
        text = _text(value)
        if not COUNTRY.fullmatch(text):
            raise ValueError(f'{text!r} is not a country: write two letters, such as "DE"')
        return cls(text.upper())


class Wifi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[system.wifi]`: the radio network that wlan0 joins."""

    ssid: Ssid
    passphrase: Passphrase | None = None  # an open network
    country: Country | None = None  # only what is lawful everywhere


class Files(Checked, dict[str, str]):
    """`[system.files]`: texts by file name. Never shown."""

    @classmethod
    def parse(cls, value: object) -> Self:
        if not isinstance(value, dict):
            raise ValueError('must be a table of its own: write [system.files], then "NAME" = "TEXT"')
        if len(value) > MAX_FILES:
            raise ValueError(f"{len(value)} files are too many: at most {MAX_FILES}")
        for name, text in value.items():
            _check_file(name, text)
        return cls(value)

    def __repr__(self) -> str:
        return f"Files({', '.join(self)})"


class System(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[system]`: what is not given stays as the image has it."""

    hostname: Hostname | None = None
    timezone: Zone | None = None
    ntp: tuple[Server, ...] = ()
    ssh_keys: tuple[PublicKey, ...] = ()
    network: tuple[Network, ...] = ()
    wifi: Wifi | None = None
    files: Files = Files()

    def __post_init__(self) -> None:
        for name, values, most in (
            ("ntp", self.ntp, MAX_ADDRESSES),
            ("ssh_keys", self.ssh_keys, MAX_KEYS),
            ("network", self.network, MAX_NETWORKS),
        ):
            if len(values) > most:
                raise ValueError(f"{name} has {len(values)} entries: at most {most}")
        interfaces = [network.interface for network in self.network]
        for interface in interfaces:
            if interfaces.count(interface) > 1:
                raise ValueError(f"network: two tables are for {interface or 'every wired interface'}: join them")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")  # the value may be a secret
    return value


def _listed(value: object) -> list[object]:
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_ADDRESSES:
        raise ValueError(f"{len(items)} addresses are too many: at most {MAX_ADDRESSES}")
    return items


def _own_address(text: str) -> Interface:
    try:
        if "/" not in text or "%" in text:
            raise ValueError
        own = ip_interface(text)
    except ValueError:
        raise ValueError(f'{text!r}: write "dhcp", or an address with its prefix, such as "192.168.1.20/24"') from None
    network = own.network
    if own.ip.is_multicast or own.ip.is_unspecified or own.ip.is_loopback:
        raise ValueError(f"{text} is no address that an interface can have")
    if network.num_addresses > 2 and own.ip == network.network_address:
        raise ValueError(f"{text} is a whole network: write the board's own address in it")
    if own.version == 4 and network.num_addresses > 2 and own.ip == network.broadcast_address:
        raise ValueError(f"{text} is the network's broadcast address: write the board's own")
    return own


def _address(text: str) -> Address:
    try:
        if "%" in text:
            raise ValueError
        return ip_address(text)
    except ValueError:
        raise ValueError(f'{text!r} is not an address: write it such as "192.168.1.1", without a prefix') from None


def _is_address(text: str) -> bool:
    try:
        _address(text)
    except ValueError:
        return False
    return True


def _check_file(name: str, text: object) -> None:
    if isinstance(text, dict):  # TOML takes the dot of a bare key as a table
        raise ValueError(f'{name} is not text: put names with a dot in quotes, such as "{name}.pem" = "..."')
    if not FILE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a file name: use A-Z, a-z, 0-9, -, _ and ., no . in front, at most 64")
    if not isinstance(text, str):
        raise ValueError(f"{name} is not text: put it in quotes")
    if len(text.encode()) > MAX_FILE_BYTES:
        raise ValueError(f"{name} is larger than {MAX_FILE_BYTES} bytes")
