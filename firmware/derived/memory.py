"""What the derived signals of one source go on from after a restart."""

from __future__ import annotations

from dataclasses import dataclass

from firmware.derived.dirt_rate import DirtRate
from firmware.derived.gas_index import GasBaseline
from firmware.derived.mould_index import Mould
from firmware.derived.nowcast import NowCast


@dataclass(slots=True)
class Memory:
    """None is what this source does not have, or not yet. At most some 10 KiB as JSON."""

    pm2_5: NowCast | None = None
    pm10: NowCast | None = None
    gas: GasBaseline | None = None
    mould: Mould | None = None
    dirt: DirtRate | None = None

    def moved(self, by_ns: int, *, outage_known: bool) -> None:
        """Go on on a clock that shows `by_ns` more.

        Where nobody knows how long the outage was, as on a board without a battery for its clock, it counts for
        nothing: to days that is little, and to the usual gas nothing. Hours are counted anew.
        """
        if not outage_known:
            self.pm2_5 = self.pm10 = None
        for cast in (self.pm2_5, self.pm10):
            if cast is not None:
                cast.hour.moved(by_ns)
        for part in (self.gas, self.mould, self.dirt):
            if part is not None:
                part.moved(by_ns)
