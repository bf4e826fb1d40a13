"""The light in the duct: held open between snapshots, found again after it was lost, off at the end."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from drivers.errors import DriverError
from drivers.protocol import Output
from firmware.vitals import Vitals


class Lamp:
    """Sets the light, and reports it where that fails: the picture will tell by itself that it is dark."""

    def __init__(self, light: Output, vitals: Vitals) -> None:
        self._light = light
        self._vitals = vitals
        self._held = AsyncExitStack()
        self._open = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._held.aclose()

    async def set(self, level: float) -> None:
        """Set the light to 0..1, opening it first where need be."""
        try:
            if not self._open:
                await self._held.enter_async_context(self._light)
                self._open = True
            await self._light.set(level)
        except DriverError as error:
            self._open = False
            await self._held.aclose()
            self._vitals.failed(error)
        else:
            self._vitals.well(self._light.source)
