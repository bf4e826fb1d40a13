"""Runs a board from start to stop: what must be open around it, signals, reload, watchdog, and a safe end."""

from __future__ import annotations

import asyncio
import random
import signal
import uuid
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import msgspec

from drivers.simulated.disk import fill_disk
from drivers.simulated.faults import Fault
from drivers.simulated.wire import Wire
from drivers.types import NS_PER_S, Instant, SourceId
from firmware import __version__, logs, realtime
from firmware.alarms.store import AlarmStore
from firmware.album import Album
from firmware.app import Board, Surroundings
from firmware.attending import Housekeeping
from firmware.cleaning.report import Letterhead
from firmware.cleaning_reports import FOLDER, Reports
from firmware.cleaning_store import CleaningStore
from firmware.deciding import MAILBOX_SIZE, Message
from firmware.derived.deriving import Deriver
from firmware.derived_store import DerivedStore
from firmware.devices import Site
from firmware.equipment import equipment, signals, unclear
from firmware.errors import ConfigError
from firmware.events import Event
from firmware.local.answering import Household, answer_at
from firmware.local.door import NAME
from firmware.notify import Notify
from firmware.observations import BOARD, Condition, HealthChange
from firmware.photography import Shot
from firmware.pictures import PICTURES, REMEDY
from firmware.plan import Plan, unanswered
from firmware.streams import Mailbox
from firmware.supervisor import Pulse, Service
from firmware.uplink.commands import Answer, Command
from firmware.uplink.discovery import Retained, announcement
from firmware.uplink.outbox import Outbox
from firmware.uplink.session import PULSE_LIMIT_S, Session
from firmware.uplink.settings import UplinkSettings
from firmware.uplink.wire import Topics, WallClock, message
from firmware.wall import Wall

FEED_S = 1.0  # how often silent stages are looked for; systemd wants to hear twice in its interval
SIGNALS_WAITING = 8
STOPPING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a board is run: where, who listens, and for how long (in the duct's time)."""

    site: Site
    wall: Wall
    sinks: Sequence[Callable[[Event], None]]
    see: Callable[[Shot], None]
    greet: Callable[[Plan], None]  # called with each plan that takes over, the first and those of a reload
    chance: Callable[[], float] = random.random
    run_for_s: float | None = None
    aim_period_ns: int | None = None
    notify: Notify = field(default_factory=Notify.from_environment)


async def operate(plan: Plan, run: Run, *, load: Callable[[], Plan] | None) -> None:
    """Run `plan` until SIGTERM, SIGINT or the end of `run_for_s`. Raises ExceptionGroup for what nobody expected.

    SIGHUP loads the plan anew: a good one takes over, a bad one is reported and the old one goes on. Without `load`
    there is nothing to reload, and SIGHUP stops.
    """
    loop = asyncio.get_running_loop()
    signals: Mailbox[signal.Signals] = Mailbox(SIGNALS_WAITING)
    for number in (*STOPPING, signal.SIGHUP):
        loop.add_signal_handler(number, signals.put, number)
    stop_at = None if run.run_for_s is None else Instant(run.site.clock.now() + round(run.run_for_s * NS_PER_S))
    following: Plan | None = plan
    mailbox: Mailbox[Message] = Mailbox(MAILBOX_SIZE)
    while following is not None:
        next_mailbox: Mailbox[Message] = Mailbox(MAILBOX_SIZE)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_run(following, run, mailbox), name="board")]
            if stop_at is not None:
                tasks.append(group.create_task(_stop_at(stop_at, run, signals), name="end of the run"))
            following = await _next_plan(signals, load, mailbox, next_mailbox, run)
            for task in tasks:
                task.cancel()
        mailbox = next_mailbox


async def _stop_at(when: Instant, run: Run, signals: Mailbox[signal.Signals]) -> None:
    await run.site.clock.sleep_until(when)
    signals.put(signal.SIGTERM)


async def _next_plan(
    signals: Mailbox[signal.Signals],
    load: Callable[[], Plan] | None,
    mailbox: Mailbox[Message],
    next_mailbox: Mailbox[Message],
    run: Run,
) -> Plan | None:
    """Wait for the signal to stop (None), or for a plan that can take over, whose run reads `next_mailbox`."""
    refused = False
    while True:
        if await signals.get() in STOPPING or load is None:
            run.notify.stopping()
            return None
        run.notify.reloading()
        try:
            plan = load()
        except ConfigError as error:
            refused = True
            problem = f"the configuration was not reloaded and the old one goes on: {error}"
            mailbox.put(_change(run, BOARD, Condition.DEGRADED, problem, "Mend the file, then reload again."))
            run.notify.ready()
        else:
            if refused:
                next_mailbox.put(_change(run, BOARD, Condition.RECOVERED, "the configuration was reloaded", ""))
            return plan


async def _run(plan: Plan, run: Run, mailbox: Mailbox[Message]) -> None:
    """Run one plan until cancelled."""
    run.greet(plan)
    realtime.make_urgent(plan.config.realtime.priority)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        with run.site.clock.held():  # starting takes none of the duct's time
            board = await _make_board(plan, run, mailbox, stack)
        for problem, remedy in (*_make_punctual(plan), *unanswered(plan), *unclear(plan)):
            mailbox.put(_change(run, BOARD, Condition.DEGRADED, problem, remedy))
        if run.site.world is not None:
            group.create_task(fill_disk(run.site.world, run.site.clock), name="disk-full")
        group.create_task(board.run(), name="board")
        group.create_task(_feed(board, run.notify), name="watchdog")
        run.notify.ready()


async def _make_board(plan: Plan, run: Run, mailbox: Mailbox[Message], stack: AsyncExitStack) -> Board:
    """The board with what must be open around it; `stack` closes that."""
    bounds = plan.config.uplink or UplinkSettings()
    topics = Topics(bounds.prefix, plan.config.board.name)
    outbox = await stack.enter_async_context(
        Outbox(
            run.site.data / "outbox.sqlite",
            boot_id=str(uuid.uuid4()),
            report=mailbox.put,
            now=run.site.clock.now,
            max_rows=bounds.max_messages,
            max_bytes=bounds.max_bytes,
        )
    )
    store = await stack.enter_async_context(
        AlarmStore(
            run.site.data / "alarms.sqlite",
            wall_ns=partial(_wall_ns, run),
            report=lambda *change: mailbox.put(_change(run, SourceId("alarms"), *change)),
        )
    )

    learned = await stack.enter_async_context(
        DerivedStore(
            run.site.data / "derived.json",
            run.site.clock,
            wall_ns=partial(_wall_ns, run),
            report=lambda *change: mailbox.put(_change(run, SourceId("derived"), *change)),
        )
    )
    deriver = Deriver(plan.config.wiring, await learned.load())

    settings = plan.config.cleaning
    cleaning = await stack.enter_async_context(
        CleaningStore(
            run.site.data / "cleaning.json",
            Reports(
                run.site.data / FOLDER,
                Letterhead(board=plan.config.board.name, firmware=__version__, limits=plan.config.degree.limits),
                max_reports=settings.keep_reports,
                max_bytes=settings.max_report_bytes,
            ),
            run.site.clock,
            wall_ns=partial(_wall_ns, run),
            report=lambda *change: mailbox.put(_change(run, SourceId("cleaning"), *change)),
        )
    )

    async def obey(command: Command) -> Answer:
        return await board.obey(command)

    def household() -> Household:
        return Household(
            records=board.alarms.records,
            annotations=board.alarms.annotations,
            journal=store.journal,
            utc=lambda wall_ns: WallClock(wall_ns, synchronised=True).utc(Instant(0)),
            operate=board.alarms.operate,
            obey=board.obey,
            cleaning=board.cleaning,
        )

    async def answer(*, pulse: Pulse) -> None:
        await answer_at(run.site.data / NAME, household(), report, pulse=pulse)

    def report(condition: Condition, problem: str, remedy: str) -> None:
        mailbox.put(_change(run, BOARD, condition, problem, remedy))

    sessions = [
        Session(
            await _reached(uplink, run, stack),
            outbox,
            topics,
            on_command=obey,
            report=mailbox.put,
            now=run.site.clock.now,
            announcements=_announcements(plan, uplink, topics),
        )
        for uplink in (plan.config.uplink,)
        if uplink is not None
    ]
    board = Board(
        plan,
        Surroundings(
            site=run.site,
            wall=run.wall,
            sinks=[*run.sinks, lambda event: _accept(outbox, event, run.wall, topics)],
            see=run.see,
            figures=lambda: _figures(outbox, *sessions),
            chance=run.chance,
        ),
        mailbox=mailbox,
        store=store,
        remembered=await store.load(),
        places=[(source, signal) for source, said in signals(plan).items() for signal in said],
        derive=deriver.feed,
        housekeeping=Housekeeping(store=cleaning, under_way=await cleaning.load(), begin_anew=deriver.cleaned),
        album=_album(plan, run, mailbox),
        aim_period_ns=run.aim_period_ns,
        further=[
            Service("local", answer, PULSE_LIMIT_S),
            Service("derived", partial(learned.keep, deriver.memory), PULSE_LIMIT_S),
            *(Service("uplink", session.run, PULSE_LIMIT_S) for session in sessions),
        ],
    )
    return board


def _announcements(plan: Plan, uplink: UplinkSettings, topics: Topics) -> list[Retained]:
    if not uplink.discovery:
        return []
    return [announcement(equipment(plan), topics, version=__version__, prefix=uplink.discovery_prefix)]


async def _reached(uplink: UplinkSettings, run: Run, stack: AsyncExitStack) -> UplinkSettings:
    """The broker as the board reaches it: through a wire that can be cut, where that fault is planned."""
    world = run.site.world
    if world is None or not world.edges(Fault.BROKER_DOWN):
        return uplink
    wire = Wire(world, run.site.clock, uplink.host, uplink.broker_port)
    port = await stack.enter_async_context(wire.laid())
    return msgspec.structs.replace(uplink, host="127.0.0.1", port=port)


def _make_punctual(plan: Plan) -> list[tuple[str, str]]:
    """Memory and garbage as configured; returns what of it, and of the priority, was not granted."""
    settings = plan.config.realtime
    memory_locked = not settings.lock_memory or realtime.lock_memory()
    realtime.settle_garbage()
    return realtime.lacking(priority=settings.priority, memory_locked=memory_locked)


async def _feed(board: Board, notify: Notify) -> None:
    """Feed the watchdog while every stage has ticked in time; say once which have not."""
    known: list[str] = []
    while True:
        silent = board.supervisor.silent()
        if not silent:
            notify.alive()
        elif silent != known:
            logs.fail("stages are silent: the watchdog is not fed", stages=silent)
        known = silent
        await asyncio.sleep(FEED_S)


def _figures(*parts: Outbox | Session) -> dict[str, float]:
    return {name: value for part in parts for name, value in part.figures().items()}


def _accept(outbox: Outbox, event: Event, wall: Wall, topics: Topics) -> None:
    outbox.accept(message(event, wall(), topics))


def _wall_ns(run: Run) -> int | None:
    """Wall time for what is remembered across restarts; None while it cannot be trusted."""
    wall = run.wall()
    return run.site.clock.now() + wall.offset_ns if wall.synchronised else None


def _album(plan: Plan, run: Run, mailbox: Mailbox[Message]) -> Album | None:
    settings = plan.config.snapshot
    if settings.keep_pictures == 0:
        return None
    try:
        return Album(
            run.site.data / "pictures", max_pictures=settings.keep_pictures, max_bytes=settings.max_picture_bytes
        )
    except OSError as error:
        mailbox.put(_change(run, PICTURES, Condition.DEGRADED, f"cannot be kept: {error.strerror}", REMEDY))
        return None


def _change(run: Run, source: SourceId, condition: Condition, problem: str, remedy: str) -> HealthChange:
    return HealthChange(source=source, condition=condition, problem=problem, remedy=remedy, at=run.site.clock.now())
