"""Relay, lamp and buzzer follow the alarms; each line is driven by a service of its own."""

from __future__ import annotations

from drivers.protocol import Output
from firmware.streams import Latest
from firmware.supervisor import Pulse
from firmware.vitals import Vitals


async def drive(output: Output, levels: Latest[float], *, vitals: Vitals, pulse: Pulse) -> None:
    """Set the line to each level that comes, until cancelled. Levels are repeated at each tick, so that a line
    that was lost and found again gets its state back."""
    async with output:
        while True:
            pulse.rest()
            level = await levels.get()
            pulse.beat()
            await output.set(level)
            vitals.well(output.source)
