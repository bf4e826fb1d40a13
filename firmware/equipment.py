"""What a board has, as its configuration says: for whoever wants to know before the first message comes."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.types import Quantity, SourceId
from firmware.alarms.types import AlarmId
from firmware.devices import OWN_HEALTH
from firmware.observations import BOARD
from firmware.plan import Plan
from firmware.uplink.discovery import Equipment

OF_CAMERAS = (Quantity.DIRTY_SCORE, Quantity.ESTIMATED_DEPOSIT, Quantity.BLIND, Quantity.MOVED)
OF_TWO_CAMERAS = (Quantity.DISAGREE,)
LINES = ("light", "output", "fan", "button")
OF_THE_BOARD = (Quantity.CLEANING, Quantity.BUDGET_MISSED, Quantity.RESTARTS, Quantity.DROPPED, Quantity.OVERWRITTEN)


def equipment(plan: Plan) -> Equipment:
    """Cameras, what each source measures or derives, and every alarm that the rules can raise on them."""
    alarms = [
        AlarmId(rule.name, source)
        for rule in plan.rules
        for source, present in signals(plan).items()
        if rule.source in (None, source) and rule.signal in present
    ]
    return Equipment(cameras=_cameras(plan), sensors=_sensors(plan), alarms=alarms)


def unclear(plan: Plan) -> list[tuple[str, str]]:
    """Problem and remedy, where an expression asks for a signal that no device of the board has, or that several have.

    A board runs all the same: such a signal is unknown to the rule.
    """
    said = signals(plan)
    found = []
    for rule in plan.rules:
        about = [source for source, present in said.items() if rule.source in (None, source) and rule.signal in present]
        asked = [ref for one in (rule.when, rule.suppress_when) if one is not None for ref in one.mentioned]
        for ref in dict.fromkeys(asked):
            having = [source for source, present in said.items() if ref.signal in present]
            if ref.device is not None or not about or set(about) <= set(having) or len(having) == 1:
                continue
            if having:
                problem = f"rule {rule.name}: {ref.signal} is measured by {', '.join(having)}: none of them is meant"
                found.append((problem, f'Name one in the rule: of["{having[0]}"].{ref.signal}'))
            else:
                problem = f"rule {rule.name}: no device of this board measures {ref.signal}"
                found.append((problem, "Take it out of the rule, or add the device to the configuration."))
    return found


def signals(plan: Plan) -> Mapping[SourceId, frozenset[str]]:
    """What each source will say, by the names of signals."""
    families, cameras, sensors = plan.config.families, _cameras(plan), _sensors(plan)
    said: Mapping[SourceId, tuple[Quantity, ...]] = {
        BOARD: (
            *OF_THE_BOARD,
            *(OF_TWO_CAMERAS if len(cameras) > 1 else ()),
            *(() if plan.config.simulated else OWN_HEALTH),
        ),
        **{source: (*present, Quantity.ALIVE) for source, present in sensors.items() if source not in cameras},
        **{camera: (*OF_CAMERAS, *sensors[camera], Quantity.ALIVE) for camera in cameras},
        **{SourceId(line.name): (Quantity.ALIVE,) for family in LINES for line in families[family]},
        **{SourceId(fan.name): (Quantity.ALIVE, Quantity.FAN_RUNNING) for fan in families["fan"]},
    }
    return {source: frozenset(quantity.signal for quantity in present) for source, present in said.items()}


def _cameras(plan: Plan) -> tuple[SourceId, ...]:
    return tuple(SourceId(camera.name) for camera in plan.config.families["camera"])


def _sensors(plan: Plan) -> dict[SourceId, tuple[Quantity, ...]]:
    """What is measured and derived, of cameras only the latter."""
    measured, derived = plan.config.measured, plan.config.wiring.derived
    return {source: (*measured.get(source, ()), *derived.get(source, ())) for source in (*measured, *_cameras(plan))}
