"""`ductwatch run`: the firmware on a board, or on a simulated one."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from drivers.clock import Clock, MonotonicClock, SimulatedClock
from drivers.simulated.faults import Fault, Faults, check_devices
from drivers.simulated.world import World
from drivers.types import NS_PER_S, SourceId
from firmware import __version__, config, logs, realtime
from firmware.config import Config
from firmware.devices import Site
from firmware.errors import ConfigError
from firmware.events import Event
from firmware.lines import LineWriter
from firmware.operate import operate
from firmware.photography import Shot
from firmware.plan import Plan, depot_of, prepare
from firmware.screen import screen
from firmware.surrounded import Run
from firmware.uplink.settings import UplinkSettings
from firmware.uplink.wire import line
from firmware.wall import real_wall, simulated_wall

SIMULATED_BOARD = Path(__file__).parent / "simulated_board.toml"


def main(arguments: Namespace) -> int:
    """Run until stopped. Raises `ConfigError` for whatever cannot be used."""
    plan = _load(arguments, first=True)
    with ExitStack() as stack:
        if arguments.config is None and arguments.data is None:
            kept_nowhere = stack.enter_context(tempfile.TemporaryDirectory(prefix="ductwatch-"))
            plan = replace(plan, config=_with_data(plan.config, Path(kept_nowhere)))
        realtime.make_urgent(plan.config.realtime.priority)
        log = stack.enter_context(LineWriter(sys.stderr.fileno(), gone=_nothing))  # whose reader holds up nothing
        logs.set_up(log.put, verbose=arguments.verbose)
        lines = stack.enter_context(LineWriter(sys.stdout.fileno(), gone=partial(os.kill, os.getpid(), signal.SIGTERM)))
        asyncio.run(_run(plan, arguments, lines))
    return 0


async def _run(plan: Plan, arguments: Namespace, lines: LineWriter) -> None:
    simulated = plan.config.simulated
    clock: Clock = SimulatedClock(arguments.time_factor) if simulated else MonotonicClock()
    wall = simulated_wall(clock) if simulated else real_wall(clock)
    world = World(arguments.seed, clock, Faults(arguments.fault)) if simulated else None
    sinks: list[Callable[[Event], None]] = [logs.log_change]
    see: Callable[[Shot], None] = _look_away
    greet: Callable[[Plan], None] = _log_start
    end: Callable[[], None] = _nothing
    if arguments.events:
        sinks.append(lambda event: lines.put(line(event, wall())))
    elif not arguments.quiet:
        cameras = [SourceId(camera.name) for camera in plan.config.families["camera"]]
        shown = screen(lines.put, start=clock.now(), cameras=cameras, rules=plan.rules, is_terminal=sys.stdout.isatty())
        sinks = [shown.show]
        see, end = shown.see, shown.end
        greet = partial(_greet, lines)
    run = Run(
        site=Site(clock=clock, world=world, data=plan.config.board.data),
        wall=wall,
        sinks=sinks,
        see=see,
        greet=greet,
        chance=random.Random(arguments.seed).random if simulated else random.random,
        run_for_s=arguments.run_for,
        aim_period_ns=round(NS_PER_S / arguments.aim) if arguments.aim else None,
    )
    try:
        kept = arguments.config is not None or arguments.data is not None
        load = partial(_load, arguments) if kept else None
        await operate(plan, run, load=load, reload_on_hangup=arguments.config is not None)
    finally:
        end()


def _load(arguments: Namespace, *, first: bool = False) -> Plan:
    """The plan that the command line asks for. Raises `ConfigError`. `first`: the process has just started."""
    chosen = config.load(arguments.config or SIMULATED_BOARD)
    chosen = _with_data(chosen, arguments.data or chosen.board.data)
    if arguments.broker is not None:
        host, port = arguments.broker
        uplink = msgspec.structs.replace(chosen.uplink or UplinkSettings(), host=host, port=port)
        chosen = replace(chosen, uplink=uplink)
    if chosen.uplink is None and any(planned.fault is Fault.BROKER_DOWN for planned in arguments.fault):
        chosen = replace(chosen, uplink=UplinkSettings())
    _check_simulation(chosen, arguments)
    if arguments.config is None and arguments.data is None:
        return prepare(chosen)
    _make_data_directory(chosen.board.data)
    return prepare(chosen, depot_of(chosen), first=first)


def _check_simulation(chosen: Config, arguments: Namespace) -> None:
    if not chosen.simulated:
        if arguments.fault or arguments.time_factor != 1.0:
            raise ConfigError("--fault and --time-factor need simulated devices: leave them out, or leave out --config")
        return
    names = {family: [device.name for device in devices] for family, devices in chosen.families.items()}
    try:
        check_devices(arguments.fault, cameras=names["camera"], sensors=names["sensor"])
    except ValueError as error:
        raise ConfigError(f"--fault {error}") from error


def _with_data(chosen: Config, data: Path) -> Config:
    return replace(chosen, board=msgspec.structs.replace(chosen.board, data=data.absolute()))


def _make_data_directory(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{data}: the data directory cannot be made: {error.strerror}. Make it, or name another one with --data."
        ) from error


def _log_start(plan: Plan) -> None:
    """So that a journal tells when the firmware started, and that a reload took over."""
    devices = [settings.name for _, settings in plan.config.devices()]
    logs.info(
        "running", version=__version__, config=str(plan.config.file), board=plan.config.board.name, devices=devices
    )


def _greet(lines: LineWriter, plan: Plan) -> None:
    where = "a simulated board: nothing here is real" if plan.config.simulated else str(plan.config.file)
    lines.put(f"ductwatch on {where}. Ctrl-C stops.")


def _look_away(shot: Shot) -> None:
    """Nobody is looking."""


def _nothing() -> None:
    """Nothing to end."""
