"""A board, and all that must be open around it: what outlives the process, the broker, the local door, updates."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import msgspec

from drivers.simulated.faults import Fault
from drivers.simulated.wire import Wire
from drivers.types import NS_PER_S, Instant, SourceId
from firmware import __version__
from firmware.alarms.store import AlarmStore
from firmware.album import Album
from firmware.app import Board
from firmware.attending import Housekeeping
from firmware.cleaning.report import Letterhead
from firmware.cleaning_reports import FOLDER, Reports
from firmware.cleaning_store import CleaningStore
from firmware.deciding import Message
from firmware.derived.deriving import Deriver
from firmware.derived_store import DerivedStore
from firmware.devices import Site
from firmware.equipment import equipment, signals
from firmware.events import Event
from firmware.local.answering import Household, answer_at
from firmware.local.door import NAME
from firmware.notify import Notify
from firmware.observations import BOARD, Condition, HealthChange
from firmware.photography import Shot
from firmware.pictures import PICTURES, REMEDY
from firmware.plan import Plan
from firmware.streams import Mailbox
from firmware.supervisor import Pulse, Service
from firmware.surroundings import Surroundings
from firmware.update.jobbing import Jobbing, Schedule
from firmware.update.updating import Hands, Now, Updating
from firmware.uplink.commands import Answer, Command, Update
from firmware.uplink.discovery import Retained, announcement
from firmware.uplink.outbox import Outbox
from firmware.uplink.session import PULSE_LIMIT_S, Session
from firmware.uplink.settings import UplinkSettings
from firmware.uplink.wire import Topics, WallClock, message
from firmware.wall import Wall
from model.types import Verdict

NO_UPDATES = Answer(False, "this board takes no updates: its model is named by [model] path, or nothing is kept")


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


async def make_board(
    plan: Plan, run: Run, mailbox: Mailbox[Message], reload: Callable[[], None], stack: AsyncExitStack
) -> Board:
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
            report=lambda *told: mailbox.put(change(run, SourceId("alarms"), *told)),
        )
    )

    learned = await stack.enter_async_context(
        DerivedStore(
            run.site.data / "derived.json",
            run.site.clock,
            wall_ns=partial(_wall_ns, run),
            report=lambda *told: mailbox.put(change(run, SourceId("derived"), *told)),
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
            report=lambda *told: mailbox.put(change(run, SourceId("cleaning"), *told)),
        )
    )

    def moved() -> None:
        if jobbing is not None:
            jobbing.stir()

    hands = Hands(say=mailbox.put, request=lambda: board.request("update"), reload=reload, moved=moved)
    updating = _updating(plan, run, hands)
    jobbing = _jobbing(plan, run, updating)

    async def obey(command: Command) -> Answer:
        if isinstance(command, Update):
            return NO_UPDATES if updating is None else await updating.obey(command)
        return await board.obey(command)

    def household() -> Household:
        return Household(
            records=board.alarms.records,
            annotations=board.alarms.annotations,
            journal=store.journal,
            utc=lambda wall_ns: WallClock(wall_ns, synchronised=True).utc(Instant(0)),
            operate=board.alarms.operate,
            obey=obey,
            cleaning=board.cleaning,
            updating=lambda: {**updating.status(), "job": jobbing.told() if jobbing else None} if updating else {},
        )

    async def answer(*, pulse: Pulse) -> None:
        await answer_at(run.site.data / NAME, household(), report, pulse=pulse)

    def report(condition: Condition, problem: str, remedy: str) -> None:
        mailbox.put(change(run, BOARD, condition, problem, remedy))

    sessions = [
        Session(
            await _reached(uplink, run, stack),
            outbox,
            topics,
            on_command=obey,
            report=mailbox.put,
            now=run.site.clock.now,
            announcements=_announcements(plan, uplink, topics),
            jobs=jobbing,
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
            judged=updating.see if updating else _look_away,
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
            *((Service("update", updating.run, PULSE_LIMIT_S),) if updating else ()),
            *((Service("jobs", jobbing.run, PULSE_LIMIT_S),) if jobbing else ()),
            Service("derived", partial(learned.keep, deriver.memory), PULSE_LIMIT_S),
            *(Service("uplink", session.run, PULSE_LIMIT_S) for session in sessions),
        ],
    )
    return board


def _updating(plan: Plan, run: Run, hands: Hands) -> Updating | None:
    if plan.depot is None:
        return None
    return Updating(
        plan.depot,
        Now(manifest=plan.classifier.manifest, bundle=plan.bundle),
        hands=hands,
        clock=run.site.clock,
        wall=partial(_local_time, run),
        chance=run.chance,
        priority=plan.config.realtime.priority,
    )


def _jobbing(plan: Plan, run: Run, updating: Updating | None) -> Jobbing | None:
    settings, uplink = plan.config.update, plan.config.uplink
    topics = settings.job_topics(uplink.prefix, plan.config.board.name) if uplink else None
    if updating is None or topics is None:
        return None
    schedule = Schedule(
        windows=settings.open_windows, every_s=settings.every, wall=partial(_local_time, run), chance=run.chance
    )
    return Jobbing(topics, updating, schedule)


def _local_time(run: Run) -> datetime | None:
    """None while the board does not know it."""
    wall_ns = _wall_ns(run)
    return None if wall_ns is None else datetime.fromtimestamp(wall_ns / NS_PER_S, UTC).astimezone()


def _look_away(shot: Shot, verdict: Verdict) -> None:
    """Nobody has use for it."""


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
        mailbox.put(change(run, PICTURES, Condition.DEGRADED, f"cannot be kept: {error.strerror}", REMEDY))
        return None


def change(run: Run, source: SourceId, condition: Condition, problem: str, remedy: str) -> HealthChange:
    return HealthChange(source=source, condition=condition, problem=problem, remedy=remedy, at=run.site.clock.now())
