from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from drivers.types import Quantity, SourceId
from firmware import devices
from firmware.alarms.outputs import Until
from firmware.alarms.types import Severity
from firmware.config import SECTIONS, Config, DepositLimits, OutputPolicy, load, parse
from firmware.errors import ConfigError
from firmware.run import SIMULATED_BOARD
from firmware.system.settings import Network, Wifi
from model.cleanliness import SUPPLY_DUCTS, Limits

FILE = Path("board.toml")
EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, FILE)
    return str(caught.value)


def test_an_empty_file_is_a_board_with_defaults_and_no_devices() -> None:
    config = parse("", FILE)

    assert (config.board.name, config.snapshot.period, config.latency.budget) == ("duct", 300.0, 0.15)
    assert (config.uplink, list(config.devices())) == (None, [])


@pytest.mark.parametrize("path", [EXAMPLE, SIMULATED_BOARD], ids=lambda path: path.name)
def test_the_files_that_ship_are_sound(path: Path) -> None:
    assert isinstance(load(path), Config)


def test_the_example_names_every_setting_there_is() -> None:
    example = EXAMPLE.read_text()
    parsed = parse("[uplink]", FILE)
    sections = [getattr(parsed, name) for name in SECTIONS]
    drivers = [
        driver.settings
        for family in devices.FAMILIES.values()
        for name, driver in family.items()
        if not driver.simulated and name != "board"
    ]
    kinds = (*sections, *drivers, OutputPolicy, DepositLimits, Network, Wifi)
    fields = {field.name for kind in kinds for field in msgspec.structs.fields(kind)} - {"network", "wifi", "files"}

    assert [name for name in sorted(fields) if f"{name} = " not in example] == []
    assert [name for name in ("[[system.network]]", "[system.wifi]", "[system.files]") if name not in example] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[snapsot]\n", "board.toml:1: unknown table [snapsot]: did you mean 'snapshot'?"),
        ("[snapshot]\nperiodd = '5min'\n", "board.toml:2: unknown key 'periodd': did you mean 'period'?"),
        ("[snapshot]\n\nperiod = '5 kg'\n", "board.toml:3: period: '5 kg' is not a duration"),
        ("[snapshot]\nperiod = 300\n", "board.toml:2: period: 300 is not a duration"),
        ("[snapshot]\nperiod = '8d'\n", "board.toml:2: the period must be 100ms to 7d"),
        ("[snapshot]\nagree = 'two'\n", "board.toml:2: agree: expected a whole number, got str"),
        ("[snapshot]\nmoved_at_most = 2\n", "board.toml:2: moved_at_most must be 0 (off), or 3 to 1000 snapshots"),
        ("[update]\nrepository = 'https://x.example'\n", "board.toml:2: repository is given without root"),
        ("[update]\nroot = '/r'\nrepository = 'http://x.example'\n", "board.toml:3: repository is not encrypted"),
        ("[update]\nroot = '/r'\nrepository = 'ftp://x.example'\n", "board.toml:3: repository must be an https://"),
        ("[update]\nwindows = ['1:30-5:00']\n", "board.toml:2: windows: '1:30-5:00' is not a time of day"),
        ("[update]\nchannel = '../x'\n", "board.toml:2: channel: use a-z, 0-9"),
        ("[update]\nflips_at_most = 1.1\n", "board.toml:2: flips_at_most must be 0 to 1"),
        ("[cleaning]\n\nlongest = '8d'\n", "board.toml:3: longest must be 1min to 7d: alarms are suppressed"),
        ("[cleaning]\nclean_snapshots = 21\n", "board.toml:1: snapshots_at_most must be at least clean_snapshots"),
        ("[snapshot]\nagree = 4\n", "board.toml:2: agree must be most of `of`"),
        ("[board]\nname = 'AHU 3'\n", "board.toml:2: 'AHU 3': use a-z, 0-9, - and _"),
        ("snapshot = 5\n", "board.toml:1: [snapshot] must be one table"),
        ("[camera]\nname = 'up'\n", "board.toml:1: each camera is a table of its own: write [[camera]]"),
        ("[[camera]]\nname = 'up'\n", "board.toml:1: no driver named. Drivers: rendered, replay, v4l2"),
        (
            "[[camera]]\nname = 'up'\ndriver = 'v4l'\n",
            "board.toml:3: unknown driver 'v4l': did you mean 'v4l2'? Drivers: rendered, replay, v4l2",
        ),
        ("[[camera]]\ndriver = 'replay'\npath = '/a'\n", "board.toml:1: name is missing: add it"),
        (
            "[[camera]]\nname = 'up'\ndriver = 'v4l2'\npath = '/dev/video0'\n",
            "board.toml:1: /dev/video0 may be another camera after the next start",
        ),
        (
            "[derived]\nclimate = 'gas'\n",
            "board.toml:2: climate: no sensor 'gas' that measures humidity and temperature",
        ),
        (
            "[derived]\nsurface = 'pn'\n[[sensor]]\nname = 'pm'\ndriver = 'sps30'\n",
            "board.toml:2: surface: no sensor 'pn' that measures temperature",
        ),
        (
            "[derived]\nclimate = 'gsa'\n[[sensor]]\nname = 'gas'\ndriver = 'bme680'\n",
            "board.toml:2: climate: no sensor 'gsa' that measures humidity and temperature: did you mean 'gas'?",
        ),
        ("[derived]\nclean_pa = 80\n", "board.toml:1: final_pa is missing: a filter's load needs both pressure drops"),
        ("[derived]\nclean_pa = 80\nfinal_pa = 80\n", "board.toml:2: clean_pa must be 0 or more and below final_pa"),
        (
            "[derived]\nleave_out = ['aqi', 'mold_index']\n",
            "board.toml:2: leave_out: no derived signal is named 'mold_index': did you mean 'mould_index'?",
        ),
        ("[derived]\ndeposit_class = 'none'\n", "board.toml:2: deposit_class: "),
        ("[derived]\nplantower_masses = 'cf1'\n", "board.toml:2: plantower_masses: "),
        ("[degree]\nlimits_g_m2 = { hihg = 1 }\n", "board.toml:2: unknown key 'hihg': did you mean 'high'?"),
        ("[degree]\nlimits_g_m2 = { low = 2.9 }\n", "board.toml:2: limits_g_m2: a better class has a lower limit"),
        ("[degree]\nlimits_g_m2 = { high = 0 }\n", "board.toml:2: limits_g_m2: a better class has a lower limit"),
        ("[degree]\nlimits_g_m2 = { high = nan }\n", "board.toml:2: limits_g_m2: a better class has a lower limit"),
        ("[degree]\nlimits_g_m2 = 3\n", "board.toml:2: limits_g_m2: expected a table, got a whole number"),
        ("[degree]\nlimits_g_m2 = { high = 'x' }\n", "board.toml:2: high: expected a number, got str"),
        ("[uplink]\nport = 99999\n", "board.toml:2: port 99999 must be 1 to 65535"),
        ("[snapshot\n", "board.toml: not TOML"),
        pytest.param("[snapshot]\nof = " + "[" * 5000, "board.toml: not TOML", id="thousands of brackets"),
        pytest.param("[snapshot]\nof = " + "9" * 5000, "board.toml: not TOML", id="thousands of digits"),
        pytest.param("[snapshot]\nperiod = '" + "9" * 400 + "d'\n", "board.toml:2: period: '999", id="for ever"),
        ("[snapshot]\nmax_picture_bytes = 1\n", "board.toml:2: max_picture_bytes must be 1 MiB"),
        ("[rules]\npath = '''a\0b'''\n".replace("\0", "\\u0000").replace("'''", '"'), "board.toml:2: path: 'a"),
        (
            "[[sensor]]\nname = 'pm'\ndriver = 'sps30'\nperiod = '0s'\n",
            "board.toml:4: the period must be 100ms to 7d",
        ),
        ("[[fan]]\nname = 'board'\ndriver = 'gpio'\nline = 5\n", "board.toml:2: 'board' is the board itself"),
    ],
    ids=lambda value: value.splitlines()[-1] if "\n" in value else None,
)
def test_what_is_wrong_is_named_with_file_line_and_remedy(text: str, message: str) -> None:
    assert refused(text).startswith(message)


def test_a_class_that_is_not_named_keeps_the_limit_of_the_standard() -> None:
    assert parse("", FILE).degree.limits == SUPPLY_DUCTS
    assert parse("[degree]\nlimits_g_m2 = { high = 0.3 }\n", FILE).degree.limits == Limits(0.3, 3.0, 4.5)


def test_what_is_derived_goes_by_the_devices_that_there_are() -> None:
    wiring = load(EXAMPLE).wiring

    assert (wiring.climate, wiring.surface, wiring.limit_g_m2) == ("duct-gas", None, 3.0)
    assert wiring.plantower == {"duct-pm", "duct-pm-i2c"}
    assert Quantity.PM2_5_CORRECTED in wiring.derived[SourceId("duct-pm")]


def test_the_days_are_counted_to_the_limit_of_the_class_that_is_named() -> None:
    text = "[degree]\nlimits_g_m2 = { high = 0.5 }\n[derived]\ndeposit_class = 'high'\nleave_out = ['aqi']\n"
    wiring = parse(text, FILE).wiring

    assert (wiring.limit_g_m2, wiring.left_out) == (0.5, frozenset({Quantity.AQI}))


def test_two_devices_on_one_address_are_refused() -> None:
    text = "[[sensor]]\nname = 'a'\ndriver = 'bme680'\n[[sensor]]\nname = 'b'\ndriver = 'bme680'\n"

    assert refused(text) == "board.toml:4: b and a both use /dev/i2c-1 address 0x77: remove one of them"


def test_two_devices_of_one_name_are_refused() -> None:
    text = "[[sensor]]\nname = 'a'\ndriver = 'bme680'\n[[sensor]]\nname = 'a'\ndriver = 'pmsa003i'\n"

    assert refused(text) == "board.toml:5: two devices named 'a': give each its own name"


def test_an_output_says_which_alarms_it_follows() -> None:
    table = "[[output]]\nname = 'horn'\ndriver = 'simulated-output'\nseverities = ['low']\nuntil = 'seen'\n"

    policy = parse(table, FILE).outputs["horn"]

    assert (policy.severities, policy.until) == ((Severity.LOW,), Until.SEEN)


@pytest.mark.real
def test_a_file_that_windows_saved_is_as_good_as_any(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes("[board]\r\nname = 'ahu-3'\r\n".encode("utf-8-sig"))

    assert load(path).board.name == "ahu-3"


@pytest.mark.real
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff\xfe", "not UTF-8"),
        (b"#" * 2_100_000, "larger than 2097152 bytes"),
    ],
    ids=["missing", "binary", "huge"],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=problem):
        load(path)
