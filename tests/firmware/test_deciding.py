from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.types import Reading, SourceId
from firmware.alarms.operations import Acknowledge, Reset
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.store import AlarmStore
from firmware.alarms.types import AlarmId, AlarmRecord, Transition
from firmware.deciding import Message, Tick, decide, step
from firmware.events import Event
from firmware.observations import Observation
from firmware.plan import DEFAULT_RULES, load_rules
from firmware.rules.conditions import AT_ONCE
from firmware.rules.engine import RuleEngine
from firmware.streams import Mailbox
from firmware.supervisor import Pulse
from model.types import Label, Verdict
from tests.builders import at, reading, verdict

DIRTY = AlarmId("dirty_duct", SourceId("upstream"))


@dataclass
class Desk:
    """Where decisions are made: an engine with the default rules, fed with messages one after another."""

    engine: RuleEngine = field(default_factory=lambda: RuleEngine(load_rules(DEFAULT_RULES), now=at(0)))
    now_s: float = 0.0

    def hear(self, *messages: Message) -> list[AlarmState]:
        """The states that alarms went to, a second after each other."""
        states = []
        for message in messages:
            self.now_s += 1
            states += [transition.after for transition in step(self.engine, message, at(self.now_s))]
        return states

    def dirty(self, times: int) -> list[AlarmState]:
        return self.hear(*(verdict(Label.DIRTY, score=0.9, taken_s=self.now_s + n) for n in range(times)))

    def clean(self, times: int) -> list[AlarmState]:
        return self.hear(*(verdict(Label.CLEAN, score=0.1, taken_s=self.now_s + n) for n in range(times)))


def test_three_dirty_snapshots_raise_the_alarm_and_it_latches_until_it_is_reset() -> None:
    desk = Desk()

    raised = desk.dirty(4)
    cleaned = desk.clean(4)
    acknowledged = desk.hear(Acknowledge(DIRTY, "panel"))
    reset = desk.hear(Reset(DIRTY, "panel"))

    assert raised == [AlarmState.UNACKNOWLEDGED]
    assert cleaned == [AlarmState.LATCHED_UNACKNOWLEDGED]
    assert acknowledged == [AlarmState.LATCHED_ACKNOWLEDGED]
    assert reset == [AlarmState.NORMAL]


def test_resetting_all_resets_what_can_be_reset() -> None:
    desk = Desk()
    desk.dirty(4)
    desk.clean(4)

    assert desk.hear(Reset(None, "panel")) == [AlarmState.NORMAL]


def test_a_command_for_an_alarm_that_is_not_there_changes_nothing() -> None:
    assert Desk().hear(Acknowledge(AlarmId("no_such_rule", SourceId("nobody")), "panel"), Reset(None, "panel")) == []


def test_time_alone_raises_a_delayed_alarm() -> None:
    desk = Desk()

    with_the_reading = desk.hear(reading(80.0, taken_s=0))
    early, late = desk.hear(Tick(at(9 * 60))), desk.hear(Tick(at(11 * 60)))

    assert (with_the_reading, early, late) == ([], [], [AlarmState.UNACKNOWLEDGED])


@pytest.mark.real
async def test_everything_is_published_in_the_order_in_which_it_came_and_alarms_are_remembered(tmp_path: Path) -> None:
    clock = SimulatedClock()
    mailbox: Mailbox[Message] = Mailbox(100)
    published: list[Event] = []
    followed: list[tuple[AlarmRecord, ...]] = []
    done = asyncio.Event()

    def follow(alarms: Sequence[AlarmRecord]) -> None:
        followed.append(tuple(alarms))
        done.set()

    async with AlarmStore(tmp_path / "alarms.sqlite", wall_ns=lambda: None, report=lambda *_: None) as store:
        engine = RuleEngine(load_rules(DEFAULT_RULES), now=clock.now())
        deciding = asyncio.create_task(
            decide(
                mailbox,
                engine=engine,
                store=store,
                publish=published.append,
                follow=follow,
                clock=clock,
                pulse=Pulse(10, asyncio.get_running_loop().time),
            )
        )
        for number in range(4):
            mailbox.put(verdict(Label.DIRTY, score=0.9, taken_s=number))
        await done.wait()
        deciding.cancel()
        await asyncio.wait([deciding])
        remembered = await store.load()

    assert [type(event) for event in published[:4]] == [Verdict, Verdict, Verdict, Transition]
    assert [alarm.state for alarm in followed[0] if alarm.alarm == DIRTY] == [AlarmState.UNACKNOWLEDGED]
    assert [record.state for record in remembered.records if record.alarm == DIRTY] == [AlarmState.UNACKNOWLEDGED]


@pytest.mark.real
async def test_what_follows_from_a_reading_comes_after_it_and_raises_alarms_too(tmp_path: Path) -> None:
    mailbox: Mailbox[Message] = Mailbox(100)
    published: list[Event] = []
    done = asyncio.Event()

    def publish(event: Event) -> None:
        published.append(event)
        if isinstance(event, Transition):
            done.set()

    def five_times(observation: Observation) -> list[Reading]:
        return [replace(observation, value=5 * observation.value)] if isinstance(observation, Reading) else []

    rule = next(rule for rule in load_rules(DEFAULT_RULES) if rule.name == "pm2_5_high")
    async with AlarmStore(tmp_path / "alarms.sqlite", wall_ns=lambda: None, report=lambda *_: None) as store:
        deciding = asyncio.create_task(
            decide(
                mailbox,
                engine=RuleEngine([replace(rule, on_delay=AT_ONCE)], now=at(0)),
                store=store,
                publish=publish,
                follow=lambda _: None,
                clock=SimulatedClock(),
                pulse=Pulse(10, asyncio.get_running_loop().time),
                derive=five_times,
            )
        )
        mailbox.put(reading(8.0))
        await done.wait()
        deciding.cancel()
        await asyncio.wait([deciding])

    assert [event.value for event in published if isinstance(event, Reading | Transition)] == [8.0, 40.0, 40.0]


@pytest.mark.real
async def test_what_somebody_was_told_is_on_the_disk_and_the_next_start_tells_it_again(tmp_path: Path) -> None:
    path = tmp_path / "alarms.sqlite"
    on_disk: list[int] = []
    told: list[Transition] = []
    heard = asyncio.Event()

    def publish(event: Event) -> None:
        if isinstance(event, Transition):
            told.append(event)
            with closing(sqlite3.connect(path)) as reader:
                on_disk.extend(reader.execute("SELECT count(*) FROM journal").fetchone())
            heard.set()

    async def watch(messages: Sequence[Message]) -> None:
        clock = SimulatedClock()
        mailbox: Mailbox[Message] = Mailbox(100)
        heard.clear()
        async with AlarmStore(path, wall_ns=lambda: None, report=lambda *_: None) as store:
            remembered = await store.load()
            engine = RuleEngine(load_rules(DEFAULT_RULES), now=clock.now(), remembered=remembered.records)
            pulse = Pulse(10, asyncio.get_running_loop().time)
            deciding = asyncio.create_task(
                decide(
                    mailbox,
                    engine=engine,
                    store=store,
                    publish=publish,
                    follow=lambda _: None,
                    clock=clock,
                    pulse=pulse,
                )
            )
            for message in messages:
                mailbox.put(message)
            await heard.wait()
            deciding.cancel()
            await asyncio.wait([deciding])

    await watch([verdict(Label.DIRTY, score=0.9, taken_s=number) for number in range(4)])
    await watch([])

    assert [(one.alarm, one.event, one.after) for one in told] == [
        (DIRTY, AlarmEvent.RAISE, AlarmState.UNACKNOWLEDGED),
        (DIRTY, AlarmEvent.RESUME, AlarmState.UNACKNOWLEDGED),
    ]
    assert on_disk == [1, 1]


@pytest.mark.real
async def test_a_disk_that_takes_its_time_holds_up_neither_the_relay_nor_the_end(tmp_path: Path) -> None:
    clock = SimulatedClock()
    mailbox: Mailbox[Message] = Mailbox(100)
    said: list[str] = []
    said_before: list[int] = []
    followed = asyncio.Event()

    def follow(_: Sequence[AlarmRecord]) -> None:
        said_before.append(len(said))
        followed.set()

    path = tmp_path / "alarms.sqlite"
    async with AlarmStore(path, wall_ns=lambda: None, report=lambda _, problem, __: said.append(problem)) as store:
        await store.load()
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN IMMEDIATE")  # the store waits a second for it
        engine = RuleEngine(load_rules(DEFAULT_RULES), now=clock.now())
        pulse = Pulse(10, asyncio.get_running_loop().time)
        deciding = asyncio.create_task(
            decide(mailbox, engine=engine, store=store, publish=lambda _: None, follow=follow, clock=clock, pulse=pulse)
        )
        for number in range(4):
            mailbox.put(verdict(Label.DIRTY, score=0.9, taken_s=number))
        await followed.wait()
        deciding.cancel()
        await asyncio.wait([deciding])
        reader.close()

    assert said_before == [0]
    assert [problem.split(": ")[1] for problem in said] == ["no answer for 0.5 s"]


@pytest.mark.real
async def test_the_duct_waits_while_the_disk_is_asked(tmp_path: Path) -> None:
    clock = SimulatedClock(factor=1e9)
    mailbox: Mailbox[Message] = Mailbox(100)
    published: list[Event] = []
    moments: set[int] = set()

    def publish(event: Event) -> None:
        published.append(event)
        moments.add(clock.now())

    async with AlarmStore(tmp_path / "alarms.sqlite", wall_ns=lambda: None, report=lambda *_: None) as store:
        await store.load()
        deciding = asyncio.create_task(
            decide(
                mailbox,
                engine=RuleEngine(load_rules(DEFAULT_RULES), now=clock.now()),
                store=store,
                publish=publish,
                follow=lambda _: None,
                clock=clock,
                pulse=Pulse(10, asyncio.get_running_loop().time),
            )
        )
        for number in range(4):
            mailbox.put(verdict(Label.DIRTY, score=0.9, taken_s=number))
        last = verdict(Label.CLEAN, source="downstream", taken_s=3)
        mailbox.put(last)
        await clock.sleep_until(at(30))
        deciding.cancel()
        await asyncio.wait([deciding])

    assert published[-1] is last
    assert moments == {at(0)}
