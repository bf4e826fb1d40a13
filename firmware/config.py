"""The configuration file: read, checked whole, and refused with file, line and remedy before anything is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from drivers.settings import Duration, Settings
from drivers.types import Quantity, SourceId
from firmware import devices
from firmware.alarms.outputs import Until
from firmware.alarms.types import Severity
from firmware.cleaning.settings import CleaningSettings
from firmware.config_checks import MIB, checks
from firmware.derived.settings import DerivedSettings
from firmware.derived.wiring import DERIVED, Wiring, first_with_air
from firmware.document import Document, nearest, read
from firmware.observations import BOARD
from firmware.system.settings import System
from firmware.update.settings import UpdateSettings
from firmware.uplink.settings import UplinkSettings
from model.cleanliness import SUPPLY_DUCTS, Limits

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
    "update",
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
    update: UpdateSettings
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
        update=document.section("update", UpdateSettings),
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
        for key_path, is_fine, problem in checks(config):
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
