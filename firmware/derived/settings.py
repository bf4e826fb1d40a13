"""`[derived]`: what the signals that are computed on the board need to know of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from firmware.derived.filter_load import PressureDrop
from firmware.derived.pm_correction import Masses


class DerivedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`climate` and `surface` are names of sensors; `leave_out` names signals."""

    climate: str | None = None
    surface: str | None = None
    plantower_masses: Masses = Masses.ATM
    clean_pa: float | None = None
    final_pa: float | None = None
    deposit_class: Literal["high", "medium", "low"] = "medium"
    leave_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.clean_pa is None) != (self.final_pa is None):
            missing = "clean_pa" if self.clean_pa is None else "final_pa"
            raise ValueError(f"{missing} is missing: a filter's load needs both pressure drops")
        if self.clean_pa is not None and self.final_pa is not None:
            PressureDrop(self.clean_pa, self.final_pa)

    @property
    def pressure_drop(self) -> PressureDrop | None:
        if self.clean_pa is None or self.final_pa is None:
            return None
        return PressureDrop(self.clean_pa, self.final_pa)
