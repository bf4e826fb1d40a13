"""The configuration file: read, checked whole, and refused with file, line and remedy before anything is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from drivers.settings import Duration, SensorSettings, Settings
from drivers.types import Quantity, SourceId
from firmware import devices
from firmware.alarms.outputs import Until
from firmware.alarms.types import Severity
from firmware.cleaning.settings import CleaningSettings
from firmware.derived.settings import DerivedSettings
from firmware.derived.wiring import AIR, DERIVED, Wiring, first_with_air
from firmware.document import Document, nearest, read
from firmware.observations import BOARD
from firmware.system.settings import FILES, System
from firmware.toml_positions import KeyPath
from firmware.uplink.settings import UplinkSettings
from model.cleanliness import SUPPLY_DUCTS, Limits
from model.manifest import MOST_G_M2

MIB = 1024 * 1024
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
    moved_at_most: int = 5  # snapshots in a row that a camera which looks elsewhere is not judged; 0: it may move
    keep_pictures: int = 200
    max_picture_bytes: int = 64 * MIB


class DepositLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Below so many g/m2 a duct meets that cleanliness quality class."""

    high: float = SUPPLY_DUCTS.high
    medium: float = SUPPLY_DUCTS.medium
    low: float = SUPPLY_DUCTS.low


class DegreeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[degree]`: which classes of EN 15780 an estimated deposit meets."""

    limits_g_m2: DepositLimits = DepositLimits()

    @property
    def limits(self) -> Limits:
        return Limits(*msgspec.structs.astuple(self.limits_g_m2))


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
SECTIONS = (
    "board",
    "snapshot",
    "degree",
    "derived",
    "cleaning",
    "latency",
    "realtime",
    "health",
    "uplink",
    "rules",
    "model",
    "system",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole configuration, checked. `uplink` is None where no broker is configured."""

    file: Path
    board: Board
    snapshot: SnapshotSettings
    degree: DegreeSettings
    derived: DerivedSettings
    cleaning: CleaningSettings
    latency: LatencySettings
    realtime: RealtimeSettings
    health: HealthSettings
    rules: FileSettings
    model: FileSettings
    uplink: UplinkSettings | None
    system: System  # for `ductwatch preset`: the firmware itself only checks it
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
    def measured(self) -> Mapping[SourceId, tuple[Quantity, ...]]:
        """The sensors with what they measure."""
        return {SourceId(sensor.name): devices.quantities(sensor) for sensor in self.families["sensor"]}

    @property
    def wiring(self) -> Wiring:
        """Which of the devices feed which derived signals."""
        derived, measured = self.derived, self.measured
        sensors = self.families["sensor"]
        return Wiring(
            measured=measured,
            cameras=tuple(SourceId(camera.name) for camera in self.families["camera"]),
            climate=first_with_air(measured) if derived.climate is None else SourceId(derived.climate),
            surface=None if derived.surface is None else SourceId(derived.surface),
            plantower=frozenset(SourceId(sensor.name) for sensor in sensors if devices.is_plantower(sensor)),
            masses=derived.plantower_masses,
            pressure_drop=derived.pressure_drop,
            limit_g_m2=getattr(self.degree.limits, derived.deposit_class),
            left_out=frozenset(one for one in DERIVED if one.signal in derived.leave_out),
        )

    @property
    def simulated(self) -> bool:
        return any(devices.is_simulated(family, device) for family, device in self.devices())


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises `ConfigError`."""
    return _checked(read(path), path)


def parse(text: str, path: Path) -> Config:
    """Check the text of a configuration file; `path` is only for messages. Raises `ConfigError`."""
    return _checked(Document(text, path), path)


def _checked(document: Document, path: Path) -> Config:
    reader = _Reader(document)
    known = [*SECTIONS, *devices.FAMILIES]
    for key in document.tables:
        if key not in known:
            raise document.error((key,), f"unknown table [{key}]{nearest(key, known)}")
    outputs = reader.policies()
    config = Config(
        file=path,
        board=document.section("board", Board),
        snapshot=document.section("snapshot", SnapshotSettings),
        degree=document.section("degree", DegreeSettings),
        derived=document.section("derived", DerivedSettings),
        cleaning=document.section("cleaning", CleaningSettings),
        latency=document.section("latency", LatencySettings),
        realtime=document.section("realtime", RealtimeSettings),
        health=document.section("health", HealthSettings),
        rules=document.section("rules", FileSettings),
        model=document.section("model", FileSettings),
        uplink=document.section("uplink", UplinkSettings) if "uplink" in document.tables else None,
        system=document.section("system", System),
        families={family: reader.family(family) for family in devices.FAMILIES},
        outputs=outputs,
    )
    reader.check(config)
    return config


class _Reader:
    """The tables of devices, and what only the whole can tell."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def policies(self) -> dict[str, OutputPolicy]:
        """Take the keys that say which alarms an output follows out of its table: no driver's business."""
        policies = {}
        for index, table in enumerate(self._tables("output")):
            keys = {key: table.pop(key) for key in list(table) if key in OUTPUT_KEYS}
            policies[str(table.get("name"))] = self._document.convert(("output", index), keys, OutputPolicy)
        return policies

    def family(self, family: str) -> tuple[Settings, ...]:
        return tuple(self._device(family, index, table) for index, table in enumerate(self._tables(family)))

    def _tables(self, family: str) -> list[dict[str, Any]]:
        tables = self._document.tables.get(family, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self._document.error(
                (family,), f"each {family} is a table of its own: write [[{family}]] with double brackets"
            )
        return tables

    def _device(self, family: str, index: int, table: dict[str, Any]) -> Settings:
        drivers = devices.FAMILIES[family]
        driver = str(table.get("driver", ""))
        if driver not in drivers:
            names = ", ".join(sorted(drivers))
            told = f"unknown driver {driver!r}" if driver else "no driver named"
            raise self._document.error(
                (family, index, "driver"), f"{told}{nearest(driver, drivers, '.')} Drivers: {names}"
            )
        return self._document.convert((family, index), table, drivers[driver].settings)

    def check(self, config: Config) -> None:
        """What only the whole can tell: names, claims and ranges."""
        if not NAME.fullmatch(config.board.name):
            raise self._document.error(
                ("board", "name"), f"{config.board.name!r}: use a-z, 0-9, - and _, at most 63 characters"
            )
        self._check_devices(config)
        for key_path, is_fine, problem in (
            *_ranges(config),
            *_sensor_ranges(config),
            *_derived(config),
            *_preset_files(config),
        ):
            if not is_fine:
                raise self._document.error(key_path, problem)

    def _check_devices(self, config: Config) -> None:
        names: dict[str, str] = {}
        claims: dict[str, str] = {}
        if len(config.families["light"]) > 1:
            raise self._document.error(
                ("light", 1), "two lights: both cameras are lit by one; drive further lamps by its line"
            )
        for family, devices_of_family in config.families.items():
            for index, device in enumerate(devices_of_family):
                where = (family, index)
                if not NAME.fullmatch(device.name):
                    raise self._document.error(
                        (*where, "name"), f"{device.name!r}: use a-z, 0-9, - and _, at most 63 characters"
                    )
                if device.name == BOARD:
                    raise self._document.error((*where, "name"), f"{BOARD!r} is the board itself: choose another name")
                if device.name in names:
                    raise self._document.error(
                        (*where, "name"), f"two devices named {device.name!r}: give each its own name"
                    )
                names[device.name] = family
                for claim in device.claims():
                    if claim in claims:
                        raise self._document.error(
                            where, f"{device.name} and {claims[claim]} both use {claim}: remove one of them"
                        )
                    claims[claim] = device.name


def _ranges(config: Config) -> tuple[tuple[KeyPath, bool, str], ...]:
    snapshot, latency, limits = config.snapshot, config.latency, config.degree.limits_g_m2
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
        (
            ("snapshot", "moved_at_most"),
            snapshot.moved_at_most == 0 or 3 <= snapshot.moved_at_most <= 1000,
            "moved_at_most must be 0 (off), or 3 to 1000 snapshots: the alarm on it asks for 3 of 4",
        ),
        (("snapshot", "keep_pictures"), 0 <= snapshot.keep_pictures <= 100_000, "keep_pictures must be 0 to 100000"),
        (
            ("snapshot", "max_picture_bytes"),
            MIB <= snapshot.max_picture_bytes <= 100 * 1024 * MIB,
            "max_picture_bytes must be 1 MiB (1048576) to 100 GiB",
        ),
        (
            ("degree", "limits_g_m2"),
            0 < limits.high < limits.medium < limits.low <= MOST_G_M2,
            f"limits_g_m2: a better class has a lower limit: 0 < high < medium < low <= {MOST_G_M2:g}",
        ),
        (("latency", "budget"), 0.001 <= latency.budget <= 10, "the budget must be 1ms to 10s"),
        (("realtime", "priority"), 0 <= config.realtime.priority <= 99, "the priority must be 0 (off) to 99, sched(7)"),
        (("health", "period"), 1 <= config.health.period <= 86400, "the period must be 1s to 1d"),
    )


def _sensor_ranges(config: Config) -> Iterator[tuple[KeyPath, bool, str]]:
    for index, sensor in enumerate(config.families["sensor"]):
        assert isinstance(sensor, SensorSettings)
        yield ("sensor", index, "period"), 0.1 <= sensor.period <= 7 * 86400, "the period must be 100ms to 7d"


def _derived(config: Config) -> Iterator[tuple[KeyPath, bool, str]]:
    """Sensors that are named must be there, and measure what is asked of them."""
    derived, measured = config.derived, config.measured
    asked = (("climate", derived.climate, AIR), ("surface", derived.surface, frozenset({Quantity.TEMPERATURE})))
    for key, name, needed in asked:
        if name is not None:
            able = [source for source, measures in measured.items() if needed <= frozenset(measures)]
            words = " and ".join(sorted(quantity.signal for quantity in needed))
            yield (
                ("derived", key),
                name in able,
                f"{key}: no sensor {name!r} that measures {words}{nearest(name, able)}",
            )
    signals = sorted(quantity.signal for quantity in DERIVED)
    for index, name in enumerate(derived.leave_out):
        problem = f"leave_out: no derived signal is named {name!r}{nearest(name, signals)}"
        yield ("derived", "leave_out", index), name in signals, problem


def _preset_files(config: Config) -> Iterator[tuple[KeyPath, bool, str]]:
    """What the broker needs of the files that `[system.files]` writes: a slip would only show as no log in."""
    if config.uplink is None or not config.system.files:
        return
    uplink, names = config.uplink, config.system.files
    for key, path in (
        ("password_file", uplink.password_file),
        ("ca", uplink.ca),
        ("certificate", uplink.certificate),
        ("key", uplink.key),
    ):
        if path is not None and path.parent == Path(FILES):
            problem = f"{key}: {path.name!r} is not in [system.files]{nearest(path.name, names)}"
            yield ("uplink", key), path.name in names, problem
