from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
import pytest

from firmware.config import parse
from firmware.errors import ConfigError
from firmware.system.settings import Passphrase, System
from tests.firmware.system.keys import public_key

FILE = Path("board.toml")
REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs" / "board-image.md").read_text()


def system(text: str) -> System:
    return parse(text, FILE).system


def test_the_file_of_the_documentation_is_sound() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    preset = system(text)

    assert all(getattr(preset, field.name) for field in msgspec.structs.fields(System))


def test_nothing_is_preset_where_nothing_is_said() -> None:
    assert system("") == system("[system]\n") == System()


@pytest.mark.parametrize("name", ["end0", "enp3s0", "eno1"])  # as systemd calls them: a Raspberry Pi 4, PCs
def test_the_examples_fit_the_wire_of_every_board(name: str) -> None:
    example = (REPOSITORY / "config.example.toml").read_text()

    for text in (PAGE, example):
        (pattern,) = re.findall(r'^(?:# )?interface = "(.*?)"', text, flags=re.M)
        assert fnmatchcase(name, pattern)


def test_an_interface_has_dhcp_unless_it_has_addresses() -> None:
    by_dhcp, fixed = system(
        "[[system.network]]\ninterface = 'en*'\naddress = 'dhcp'\n"
        "[[system.network]]\ninterface = 'eth1'\naddress = '10.0.0.2/255.255.255.0'\ngateway = '10.0.0.1'\n"
    ).network

    assert (by_dhcp.interface, by_dhcp.address) == ("en*", ())
    assert [str(address) for address in fixed.address] == ["10.0.0.2/24"]


def test_a_key_may_end_in_the_line_feed_that_it_was_copied_with() -> None:
    assert system(f"[system]\nssh_keys = ['''{public_key()}\n''']\n").ssh_keys == (public_key(),)


@pytest.mark.parametrize(
    "text",
    [
        "hostname = 'ahu-3.example.com'",
        "timezone = 'America/Argentina/Buenos_Aires'",
        "timezone = 'Etc/GMT+1'",
        "ntp = ['ntp.example.com', '10.0.0.1', 'fd00::1']",
        "[[system.network]]\naddress = ['192.168.1.20/24', 'fd00::20/64']\ngateway = ['192.168.1.1', 'fe80::1']",
        "[[system.network]]\naddress = '10.0.0.0/31'\ngateway = '10.0.0.1'",
        "[[system.network]]\ndns = ['9.9.9.9', '2620:fe::fe']",
        "[system.wifi]\nssid = 'Halle 3 Süd'\npassphrase = 'a\"b\\\\c #d'\ncountry = 'de'",
        "[system.wifi]\nssid = 'open'",
        "[system.files]\n\"board.key\" = '''\nPEM\n'''\nmqtt-password = 'x'",
    ],
)
def test_what_a_site_needs_is_taken(text: str) -> None:
    assert system(f"[system]\n{text}\n") != System()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hostnam = 'a'", "2: unknown key 'hostnam': did you mean 'hostname'?"),
        ("hostname = 'ahu_3'", "2: hostname: 'ahu_3' is not a host name"),
        ("hostname = '-a'", "2: hostname: '-a' is not a host name"),
        (f"hostname = '{'a' * 64}'", "2: hostname: 'aaa"),
        ("hostname = '10.0.0.1'", "2: hostname: '10.0.0.1' is not a host name"),
        ("hostname = 'localhost'", "2: hostname: localhost is what every machine calls itself"),
        ("hostname = 3", "2: hostname: must be text in quotes"),
        ("timezone = '../../etc/shadow'", "2: timezone: '../../etc/shadow' is not a time zone"),
        ("timezone = '/etc/shadow'", "2: timezone: '/etc/shadow' is not a time zone"),
        ("ntp = 'ntp.example.com'", "2: ntp: expected a list, got str"),
        ("ntp = [\n'a b']", "3: ntp: 'a b' is not a server"),
        ("ntp = [" + "'a'," * 17 + "]", "2: ntp has 17 entries: at most 16"),
        ("ssh_keys = [\n'me@pc']", "3: ssh_keys: not a public key on one line"),
        ("network = 'dhcp'", "2: network: expected a list, got str"),
        ("[system.network]", "2: network: each is a table of its own: write [[system.network]]"),
        ("[[system.network]]\ninterface = 'en p1'", "3: interface: 'en p1' is not an interface"),
        ("[[system.network]]\ninterfaces = 'en*'", "3: unknown key 'interfaces': did you mean 'interface'?"),
        ("[[system.network]]\n[[system.network]]", "2: network: two tables are for every wired interface"),
        ("[[system.network]]\naddress = 'static'", "3: address: 'static': write \"dhcp\", or an address with"),
        ("[[system.network]]\naddress = '10.0.0.2'", "3: address: '10.0.0.2': write \"dhcp\", or an address with"),
        ("[[system.network]]\naddress = 'fe80::1%\\n/64'".replace("'", '"'), "3: address: 'fe80::1%\\n/64': write"),
        ("[[system.network]]\naddress = '10.0.0.0/24'", "3: address: 10.0.0.0/24 is a whole network"),
        ("[[system.network]]\naddress = '10.0.0.255/24'", "3: address: 10.0.0.255/24 is the network's broadcast"),
        ("[[system.network]]\naddress = '127.0.0.1/8'", "3: address: 127.0.0.1/8 is no address that an interface"),
        ("[[system.network]]\ngateway = '10.0.0.1'", "3: gateway is given with DHCP, which brings its own"),
        (
            "[[system.network]]\naddress = '10.0.0.2/24'\ngateway = '10.0.1.1'",
            "4: gateway 10.0.1.1 is in no network of this interface",
        ),
        (
            "[[system.network]]\naddress = '10.0.0.2/24'\ngateway = ['10.0.0.1', '10.0.0.3']",
            "4: gateway names two of one kind",
        ),
        ("[[system.network]]\ndns = ['dns.example.com']", "3: dns: 'dns.example.com' is not an address"),
        ("[system.wifi]\npassphrase = 'long enough'", "2: ssid is missing: add it"),
        ("[system.wifi]\nssid = ''", "3: ssid: '' is not an SSID: 1 to 32 bytes"),
        (f"[system.wifi]\nssid = '{'ü' * 17}'", "3: ssid: 'üü"),
        ("[system.wifi]\nssid = 'a'\ncountry = 'Germany'", "4: country: 'Germany' is not a country"),
        (
            "[system.files]\nboard.key = 'x'",
            '3: board is not text: put names with a dot in quotes, such as "board.pem"',
        ),
        ("[system.files]\n'.profile' = 'x'", "3: '.profile' is not a file name"),
        ("[system.files]\n'../shadow' = 'x'", "3: '../shadow' is not a file name"),
        ("[system.files]\n'a b' = 'x'", "2: files: 'a b' is not a file name"),
        ("[system.files]\nnumber = 5", "3: number is not text: put it in quotes"),
        ("files = []", "2: files: must be a table of its own: write [system.files]"),
        ("[system.files]\n" + "".join(f"f{n} = ''\n" for n in range(17)), "2: files: 17 files are too many"),
        (f"[system.files]\nlarge = '{'ü' * 40_000}'", "3: large is larger than 65536 bytes"),
    ],
    ids=lambda value: value[:50] if "\n" in value or "=" in value else "",
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"[system]\n{text}\n", FILE)

    assert str(caught.value).startswith(f"board.toml:{message}")


@pytest.mark.parametrize("passphrase", ["tiny-77", "ümlaut-in-secret", "hunter2-" * 8, "hunter2\\nhunter2"])
def test_a_wrong_passphrase_is_not_repeated(passphrase: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f'[system.wifi]\nssid = "a"\npassphrase = "{passphrase}"\n', FILE)

    assert str(caught.value).startswith("board.toml:3: passphrase: must be 8 to 63 characters")
    assert passphrase[:6] not in str(caught.value)


def test_secrets_are_not_shown_with_what_holds_them() -> None:
    shown = repr(system("[system.wifi]\nssid = 'a'\npassphrase = 'hunter2hunter2'\n[system.files]\npw = 'hunter2'\n"))

    assert "hunter2" not in shown
    assert "pw" in shown
    assert f"{Passphrase.parse('hunter2hunter2')}" == "hunter2hunter2"


def test_a_broker_password_under_another_name_is_found_out_before_the_broker_does() -> None:
    text = (
        "[uplink]\nusername = 'ahu-3'\npassword_file = '/run/ductwatch/mqtt-pasword'\n"
        "[system.files]\nmqtt-password = 'secret'\n"
    )

    with pytest.raises(ConfigError, match=r"board.toml:3: password_file: 'mqtt-pasword' is not in .* 'mqtt-password'"):
        parse(text, FILE)
    assert parse(text.replace("pasword", "password"), FILE).system.files == {"mqtt-password": "secret"}
