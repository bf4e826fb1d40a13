"""What a board has, as its configuration says: for whoever wants to know before the first message comes."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.types import Quantity, SourceId
from firmware.alarms.types import AlarmId
from firmware.observations import BOARD
from firmware.plan import Plan
from firmware.uplink.discovery import Equipment

OF_CAMERAS = (Quantity.DIRTY_SCORE, Quantity.ESTIMATED_DEPOSIT, Quantity.BLIND, Quantity.MOVED)
OF_TWO_CAMERAS = (Quantity.DISAGREE,)
LINES = ("light", "output", "fan", "button")
OF_THE_BOARD = (Quantity.BUDGET_MISSED, Quantity.RESTARTS, Quantity.DROPPED, Quantity.OVERWRITTEN)


def equipment(plan: Plan) -> Equipment:
    """Cameras, what each source measures or derives, and every alarm that the rules can raise on them."""
    families = plan.config.families
    cameras = tuple(SourceId(camera.name) for camera in families["camera"])
    measured, derived = plan.config.measured, plan.config.wiring.derived
    sensors = {source: (*measured.get(source, ()), *derived.get(source, ())) for source in (*measured, *cameras)}
    signals: Mapping[SourceId, tuple[Quantity, ...]] = {
        BOARD: (*OF_THE_BOARD, *(OF_TWO_CAMERAS if len(cameras) > 1 else ())),
        **{source: (*present, Quantity.ALIVE) for source, present in sensors.items() if source not in cameras},
        **{camera: (*OF_CAMERAS, *sensors[camera], Quantity.ALIVE) for camera in cameras},
        **{SourceId(line.name): (Quantity.ALIVE,) for family in LINES for line in families[family]},
    }
    alarms = [
        AlarmId(rule.name, source)
        for rule in plan.rules
        for source, present in signals.items()
        if rule.source in (None, source) and rule.signal in {quantity.signal for quantity in present}
    ]
    return Equipment(cameras=cameras, sensors=sensors, alarms=alarms)
