"""The configuration file: read, checked whole, and refused with file, line and remedy before anything is opened."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from drivers.settings import Duration, SensorSettings, Settings, from_table
from drivers.types import SourceId
from firmware import devices
from firmware.alarms.outputs import Until
from firmware.alarms.types import Severity
from firmware.errors import ConfigError
from firmware.observations import BOARD
from firmware.toml_positions import KeyPath, locate
from firmware.uplink.settings import UplinkSettings

MIB = 1024 * 1024
MAX_CONFIG_BYTES = 256 * 1024  # the example with every setting has 10 kB; a larger file is not a configuration
S = TypeVar("S")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # safe in MQTT topics, file names and Home Assistant ids


class Board(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[board]`: who this is, and where it keeps what must outlive the process."""

    name: str = "duct"
    data: Path = Path("/var/lib/ductwatch")


class SnapshotSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[snapshot]`: how often the duct is lit and looked at."""

    period: Duration = Duration(300.0)
    settle: Duration = Duration(0.8)  # light on to lit frame: auto exposure of UVC cameras needs about this
    light_level: float = 1.0
    light_limit: Duration = Duration(5.0)  # longest time that the light is on, also when a camera hangs
    dark_frame: bool = True
    agree: int = 2
    of: int = 3
    keep_pictures: int = 200
    max_picture_bytes: int = 64 * MIB


class LatencySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[latency]`: from the kernel's capture stamp to the verdict."""

    budget: Duration = Duration(0.150)


class RealtimeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[realtime]`: SCHED_FIFO priority of all our threads, 1 to 99 (sched(7)); 0 for none."""

    priority: int = 50
    lock_memory: bool = True


class HealthSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[health]`: how often the board reports on itself."""

    period: Duration = Duration(60.0)


class OutputPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of `[[output]]` that no driver knows: which alarms switch it on, and until when."""

    severities: tuple[Severity, ...] = (Severity.HIGH, Severity.CRITICAL)
    until: Until = Until.OVER


class FileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[rules]` and `[model]`: a file or folder instead of what ships with the firmware."""

    path: Path | None = None


OUTPUT_KEYS = {field.name for field in msgspec.structs.fields(OutputPolicy)}
SECTIONS = ("board", "snapshot", "latency", "realtime", "health", "uplink", "rules", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole configuration, checked. `uplink` is None where no broker is configured."""

    file: Path
    board: Board
    snapshot: SnapshotSettings
    latency: LatencySettings
    realtime: RealtimeSettings
    health: HealthSettings
    rules: FileSettings
    model: FileSettings
    uplink: UplinkSettings | None
    families: Mapping[str, tuple[Settings, ...]]
    outputs: Mapping[str, OutputPolicy]

    def devices(self) -> Iterator[tuple[str, Settings]]:
        """Each device with its family, in the order of the file."""
        for family, devices_of_family in self.families.items():
            for device in devices_of_family:
                yield family, device

    @property
    def sources(self) -> frozenset[SourceId]:
        """All that can say something: the devices, and the board itself."""
        return frozenset({BOARD, *(SourceId(device.name) for _, device in self.devices())})

    @property
    def simulated(self) -> bool:
        return any(devices.is_simulated(family, device) for family, device in self.devices())


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises `ConfigError`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. Check the path and its permissions.") from error
    if len(content) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES} bytes. This is not a ductwatch configuration.")
    try:
        return parse(content.decode(), path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text at byte {error.start}. Save the file as UTF-8.") from error


def parse(text: str, path: Path) -> Config:
    """Check the text of a configuration file; `path` is only for messages. Raises `ConfigError`."""
    reader = _Reader(text, path)
    known = [*SECTIONS, *devices.FAMILIES]
    for key in reader.document:
        if key not in known:
            raise reader.error((key,), f"unknown table [{key}]{_nearest(key, known)}")
    outputs = reader.policies()
    config = Config(
        file=path,
        board=reader.section("board", Board),
        snapshot=reader.section("snapshot", SnapshotSettings),
        latency=reader.section("latency", LatencySettings),
        realtime=reader.section("realtime", RealtimeSettings),
        health=reader.section("health", HealthSettings),
        rules=reader.section("rules", FileSettings),
        model=reader.section("model", FileSettings),
        uplink=reader.section("uplink", UplinkSettings) if "uplink" in reader.document else None,
        families={family: reader.family(family) for family in devices.FAMILIES},
        outputs=outputs,
    )
    reader.check(config)
    return config


class _Reader:
    """One document with its text at hand, so that whatever is wrong can be pointed at."""

    def __init__(self, text: str, path: Path) -> None:
        self._text = text
        self._path = path
        try:
            self.document: dict[str, Any] = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # also a number of thousands of digits, or as many brackets
            raise ConfigError(f"{path}: not TOML: {error}. See config.example.toml for the form.") from error

    def error(self, key_path: KeyPath, problem: str) -> ConfigError:
        return ConfigError(f"{self._path}:{locate(self._text, key_path)}: {problem}")

    def section(self, name: str, kind: type[S]) -> S:
        table = self.document.get(name, {})
        if not isinstance(table, dict):
            raise self.error((name,), f"[{name}] must be one table, written once with single brackets")
        return self._convert((name,), table, kind)

    def policies(self) -> dict[str, OutputPolicy]:
        """Take the keys that say which alarms an output follows out of its table: no driver's business."""
        policies = {}
        for index, table in enumerate(self._tables("output")):
            keys = {key: table.pop(key) for key in list(table) if key in OUTPUT_KEYS}
            policies[str(table.get("name"))] = self._convert(("output", index), keys, OutputPolicy)
        return policies

    def family(self, family: str) -> tuple[Settings, ...]:
        return tuple(self._device(family, index, table) for index, table in enumerate(self._tables(family)))

    def _tables(self, family: str) -> list[dict[str, Any]]:
        tables = self.document.get(family, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self.error((family,), f"each {family} is a table of its own: write [[{family}]] with double brackets")
        return tables

    def _device(self, family: str, index: int, table: dict[str, Any]) -> Settings:
        drivers = devices.FAMILIES[family]
        driver = str(table.get("driver", ""))
        if driver not in drivers:
            names = ", ".join(sorted(drivers))
            told = f"unknown driver {driver!r}" if driver else "no driver named"
            raise self.error((family, index, "driver"), f"{told}{_nearest(driver, drivers, '.')} Drivers: {names}")
        return self._convert((family, index), table, drivers[driver].settings)

    def _convert(self, where: KeyPath, table: dict[str, Any], kind: type[S]) -> S:
        try:
            return from_table(table, kind)
        except msgspec.ValidationError as error:
            problem, key_path = _explain(str(error), kind)
            raise self.error(where + key_path, problem) from error

    def check(self, config: Config) -> None:
        """What only the whole can tell: names, claims and ranges."""
        if not NAME.fullmatch(config.board.name):
            raise self.error(("board", "name"), f"{config.board.name!r}: use a-z, 0-9, - and _, at most 63 characters")
        self._check_devices(config)
        for key_path, is_fine, problem in (*_ranges(config), *_sensor_ranges(config)):
            if not is_fine:
                raise self.error(key_path, problem)

    def _check_devices(self, config: Config) -> None:
        names: dict[str, str] = {}
        claims: dict[str, str] = {}
        if len(config.families["light"]) > 1:
            raise self.error(("light", 1), "two lights: both cameras are lit by one; drive further lamps by its line")
        for family, devices_of_family in config.families.items():
            for index, device in enumerate(devices_of_family):
                where = (family, index)
                if not NAME.fullmatch(device.name):
                    raise self.error((*where, "name"), f"{device.name!r}: use a-z, 0-9, - and _, at most 63 characters")
                if device.name == BOARD:
                    raise self.error((*where, "name"), f"{BOARD!r} is the board itself: choose another name")
                if device.name in names:
                    raise self.error((*where, "name"), f"two devices named {device.name!r}: give each its own name")
                names[device.name] = family
                for claim in device.claims():
                    if claim in claims:
                        raise self.error(
                            where, f"{device.name} and {claims[claim]} both use {claim}: remove one of them"
                        )
                    claims[claim] = device.name


def _ranges(config: Config) -> tuple[tuple[KeyPath, bool, str], ...]:
    snapshot, latency = config.snapshot, config.latency
    return (
        (("snapshot", "period"), 0.1 <= snapshot.period <= 7 * 86400, "the period must be 100ms to 7d"),
        (
            ("snapshot", "settle"),
            0 <= snapshot.settle < snapshot.light_limit,
            "settle must be shorter than light_limit",
        ),
        (("snapshot", "light_level"), 0 <= snapshot.light_level <= 1, "light_level goes from 0 (off) to 1 (full)"),
        (("snapshot", "light_limit"), 0.1 <= snapshot.light_limit <= 60, "light_limit must be 100ms to 60s"),
        (
            ("snapshot", "agree"),
            snapshot.of / 2 < snapshot.agree <= snapshot.of,
            "agree must be most of `of`",
        ),
        (("snapshot", "of"), 1 <= snapshot.of <= 100, "of must be 1 to 100 snapshots"),
        (("snapshot", "keep_pictures"), 0 <= snapshot.keep_pictures <= 100_000, "keep_pictures must be 0 to 100000"),
        (
            ("snapshot", "max_picture_bytes"),
            MIB <= snapshot.max_picture_bytes <= 100 * 1024 * MIB,
            "max_picture_bytes must be 1 MiB (1048576) to 100 GiB",
        ),
        (("latency", "budget"), 0.001 <= latency.budget <= 10, "the budget must be 1ms to 10s"),
        (("realtime", "priority"), 0 <= config.realtime.priority <= 99, "the priority must be 0 (off) to 99, sched(7)"),
        (("health", "period"), 1 <= config.health.period <= 86400, "the period must be 1s to 1d"),
    )


def _sensor_ranges(config: Config) -> Iterator[tuple[KeyPath, bool, str]]:
    for index, sensor in enumerate(config.families["sensor"]):
        assert isinstance(sensor, SensorSettings)
        yield ("sensor", index, "period"), 0.1 <= sensor.period <= 7 * 86400, "the period must be 100ms to 7d"


def _explain(message: str, kind: type[Any]) -> tuple[str, KeyPath]:
    """Turn msgspec's words (`… - at `$.a[0].b``) into ours, with the path of the key that is meant."""
    problem, _, path = message.partition(" - at `")
    key_path: list[str | int] = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]$`]+", path)]
    fields = [field.encode_name for field in msgspec.structs.fields(kind)]
    if unknown := re.search(r"unknown field `(.+?)`", problem):
        return f"unknown key {unknown[1]!r}{_nearest(unknown[1], fields)}", (*key_path, unknown[1])
    if missing := re.search(r"missing required field `(.+?)`", problem):
        return f"{missing[1]} is missing: add it", tuple(key_path)
    if not key_path:  # a driver's own check of its settings, which begins with the key that it means
        first = problem.split(maxsplit=1)[0].rstrip(":")
        return problem, (first,) if first in fields else ()
    expected = problem.replace("`", "").replace("int", "a whole number").replace("float", "a number")
    return f"{key_path[0]}: {expected[:1].lower()}{expected[1:]}", tuple(key_path)


def _nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f": did you mean {near[0]!r}?" if near else otherwise
