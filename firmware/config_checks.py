"""What only a whole configuration can tell: ranges, and parts that ask for one another. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.settings import SensorSettings
from drivers.types import Quantity
from firmware.derived.wiring import AIR, DERIVED
from firmware.document import nearest
from firmware.system.settings import FILES
from firmware.toml_positions import KeyPath
from model.manifest import MOST_G_M2

if TYPE_CHECKING:
    from firmware.config import Config

MIB = 1024 * 1024
Check = tuple[KeyPath, bool, str]
"""Where it is written, whether it is fine, and what is wrong if it is not."""


def checks(config: Config) -> Iterator[Check]:
    yield from _ranges(config)
    yield from _sensor_ranges(config)
    yield from _derived(config)
    yield from _preset_files(config)
    is_reached = config.uplink is not None or not config.update.jobs
    yield ("update", "jobs"), is_reached, "jobs = true, and no broker that brings them: add [uplink]"


def _ranges(config: Config) -> tuple[Check, ...]:
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


def _sensor_ranges(config: Config) -> Iterator[Check]:
    for index, sensor in enumerate(config.families["sensor"]):
        assert isinstance(sensor, SensorSettings)
        yield ("sensor", index, "period"), 0.1 <= sensor.period <= 7 * 86400, "the period must be 100ms to 7d"


def _derived(config: Config) -> Iterator[Check]:
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


def _preset_files(config: Config) -> Iterator[Check]:
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
