"""Simulated lines: a light that shines into the simulated duct, relay and buzzer, fan contact and button."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Literal, Self

from drivers.clock import Clock
from drivers.settings import Duration, Settings
from drivers.simulated.world import World
from drivers.types import Instant, SourceId

PRESS = Duration(0.2)  # how long a finger stays on a button


class SimulatedOutputSettings(Settings, frozen=True, kw_only=True):
    """`role` says what hangs on the line: only a light changes what cameras see. `safe` is its level on exit."""

    role: Literal["light", "relay", "buzzer"] = "relay"
    safe: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.safe <= 1:
            raise ValueError("safe is a level from 0 (off) to 1 (on)")


class SimulatedInputSettings(Settings, frozen=True, kw_only=True):
    """`role` says what is watched. A button is pressed at each of `presses`, from the start of the run, for `hold`."""

    role: Literal["fan", "button"] = "fan"
    presses: tuple[Duration, ...] = ()
    hold: Duration = PRESS


class SimulatedOutput:
    """A line that remembers its level; a light's is what the duct is lit with."""

    def __init__(self, settings: SimulatedOutputSettings, world: World) -> None:
        self._source = SourceId(settings.name)
        self._lights = settings.role == "light"
        self._safe = settings.safe
        self._world = world
        self.level = settings.safe

    @property
    def source(self) -> SourceId:
        return self._source

    async def __aenter__(self) -> Self:
        self._drive(self._safe)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._drive(self._safe)

    async def set(self, level: float) -> None:
        self._drive(level)

    def _drive(self, level: float) -> None:
        self.level = min(1.0, max(0.0, level))
        if self._lights:
            self._world.light = self.level


class SimulatedInput:
    """The fan's contact, which follows the simulated fan, or a button that is pressed at given times."""

    def __init__(self, settings: SimulatedInputSettings, world: World, clock: Clock) -> None:
        self._source = SourceId(settings.name)
        self._is_fan = settings.role == "fan"
        self._presses = sorted(settings.presses)
        self._hold_ns = settings.hold.ns
        self._world = world
        self._clock = clock

    @property
    def source(self) -> SourceId:
        return self._source

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def states(self) -> AsyncGenerator[bool, None]:
        return self._fan() if self._is_fan else self._button()

    async def _fan(self) -> AsyncGenerator[bool, None]:
        running = self._world.fan_running(self._clock.now())
        yield running
        while True:
            await self._clock.sleep_until(self._world.fan_may_change(self._clock.now()))
            if self._world.fan_running(self._clock.now()) is not running:
                running = not running
                yield running

    async def _button(self) -> AsyncGenerator[bool, None]:
        yield False
        for press in self._presses:
            down = self._world.moment(press)
            await self._clock.sleep_until(down)
            yield True
            await self._clock.sleep_until(Instant(down + self._hold_ns))
            yield False
        await asyncio.Event().wait()  # nobody presses it any more
