"""Where everything that was noticed meets the rules: one consumer, so that order is the order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from drivers.clock import Clock
from drivers.types import NS_PER_S, Instant, Reading
from firmware.alarms.operations import Operation
from firmware.alarms.states import NEXT, AlarmEvent, AlarmState
from firmware.alarms.store import LAST_SAVE_S, AlarmStore
from firmware.alarms.types import AlarmRecord, Transition
from firmware.events import Event
from firmware.observations import Observation
from firmware.rules.engine import RuleEngine
from firmware.rules.samples import samples
from firmware.sampling import every
from firmware.streams import Mailbox
from firmware.supervisor import Pulse

MAILBOX_SIZE = 4096  # some minutes of readings of a full board; beyond it the oldest is dropped and counted
TICK_NS = NS_PER_S  # delays of rules are exact to this
REMEMBER_NS = 60 * NS_PER_S  # elapsed delays are written down this often; alarms at every change


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by: delays may have run out, signals may have gone stale."""

    at: Instant


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation, and whoever waits for what comes of it."""

    operation: Operation
    tell: Callable[[Sequence[Transition]], None]


Message = Observation | Tick | Operation | Asked


async def tick(mailbox: Mailbox[Message], clock: Clock, pulse: Pulse) -> None:
    async for moment in every(TICK_NS, clock):
        mailbox.put(Tick(moment))
        pulse.beat()


async def decide(
    mailbox: Mailbox[Message],
    *,
    engine: RuleEngine,
    store: AlarmStore,
    publish: Callable[[Event], None],
    follow: Callable[[Sequence[AlarmRecord]], None],
    clock: Clock,
    pulse: Pulse,
    derive: Callable[[Observation], Sequence[Reading]] = lambda _: (),
) -> None:
    """Publish each observation, what follows from it by `derive`, and what the rules make of both, until cancelled.

    `follow` sets the outputs after the alarms, then they are stored, then published: what somebody was told of no power
    cut takes away. Where one comes in between, the next start tells them: it begins with the alarms that stand.
    """
    remembered = clock.now()
    for standing in resumed(engine.records(remembered), remembered):
        publish(standing)
    try:
        while True:
            pulse.rest()
            message = await mailbox.get()
            pulse.beat()
            observed: Sequence[Observation] = ()
            if not isinstance(message, Tick | Operation | Asked):
                observed = (message, *derive(message))
            for observation in observed:
                publish(observation)
            transitions = [moved for one in observed or (message,) for moved in step(engine, one, clock.now())]
            if transitions or isinstance(message, Tick):
                follow(engine.records(clock.now()))  # before the disk is asked: it may take seconds
            try:
                if transitions or clock.now() - remembered > REMEMBER_NS:
                    remembered = clock.now()
                    with clock.held():  # what comes next was seen now, however long the disk takes
                        await store.save(engine.records(remembered), transitions)
            finally:
                for transition in transitions:
                    publish(transition)
            if isinstance(message, Asked):
                message.tell(transitions)
    finally:
        await store.save(engine.records(clock.now()), (), limit_s=LAST_SAVE_S)


def resumed(records: Iterable[AlarmRecord], now: Instant) -> Iterator[Transition]:
    """What tells of alarms that an earlier start of the firmware left."""
    for record in records:
        if record.state is not AlarmState.NORMAL:
            yield Transition(
                alarm=record.alarm,
                before=record.state,
                event=AlarmEvent.RESUME,
                after=NEXT[record.state, AlarmEvent.RESUME],
                at=now,
                value=record.value,
                severity=record.severity,
                fault=record.fault,
                reason="as it stood before the firmware started",
                by="restart",
                withheld=record.withheld,
            )


def step(engine: RuleEngine, message: Message, now: Instant) -> Iterator[Transition]:
    """What the rules make of one message."""
    match message:
        case Tick(at):
            yield from engine.tick(at)
        case Asked(operation):
            yield from engine.operate(operation, now)
        case _ if isinstance(message, Operation):
            yield from engine.operate(message, now)
        case _:
            for sample in samples(message):
                yield from engine.feed(sample)
