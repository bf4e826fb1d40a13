"""Runs a board from start to stop: signals, reload, watchdog, and a safe end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from functools import partial

from drivers.simulated.disk import fill_disk
from drivers.types import NS_PER_S, Instant
from firmware import logs, realtime
from firmware.app import Board
from firmware.deciding import MAILBOX_SIZE, Message
from firmware.equipment import unclear
from firmware.errors import ConfigError
from firmware.notify import Notify
from firmware.observations import BOARD, Condition
from firmware.plan import Plan, unanswered
from firmware.streams import Mailbox
from firmware.surrounded import Run, change, make_board

FEED_S = 1.0  # how often silent stages are looked for; systemd wants to hear twice in its interval
SIGNALS_WAITING = 8
STOPPING = (signal.SIGTERM, signal.SIGINT)
RELOAD = signal.SIGUSR1  # an update that wants a reload; the kernel's own is not caught


async def operate(plan: Plan, run: Run, *, load: Callable[[], Plan] | None, reload_on_hangup: bool = True) -> None:
    """Run `plan` until SIGTERM, SIGINT or the end of `run_for_s`. Raises ExceptionGroup for what nobody expected.

    SIGHUP loads the plan anew: a good one takes over, a bad one is reported and the old one goes on. Without `load`
    there is nothing to reload; then, and where that is not wanted of it, SIGHUP stops.
    """
    stopping = STOPPING if load is not None and reload_on_hangup else (*STOPPING, signal.SIGHUP)
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
            reload = partial(signals.put, RELOAD)
            tasks = [group.create_task(_run(following, run, mailbox, reload), name="board")]
            if stop_at is not None:
                tasks.append(group.create_task(_stop_at(stop_at, run, signals), name="end of the run"))
            following = await _next_plan(signals, stopping, load, mailbox, next_mailbox, run)
            for task in tasks:
                task.cancel()
        mailbox = next_mailbox


async def _stop_at(when: Instant, run: Run, signals: Mailbox[signal.Signals]) -> None:
    await run.site.clock.sleep_until(when)
    signals.put(signal.SIGTERM)


async def _next_plan(
    signals: Mailbox[signal.Signals],
    stopping: Collection[signal.Signals],
    load: Callable[[], Plan] | None,
    mailbox: Mailbox[Message],
    next_mailbox: Mailbox[Message],
    run: Run,
) -> Plan | None:
    """Wait for a signal to stop (None), or for a plan that can take over, whose run reads `next_mailbox`."""
    refused = False
    while True:
        if await signals.get() in stopping or load is None:
            run.notify.stopping()
            return None
        run.notify.reloading()
        try:
            plan = load()
        except ConfigError as error:
            refused = True
            problem = f"the configuration was not reloaded and the old one goes on: {error}"
            mailbox.put(change(run, BOARD, Condition.DEGRADED, problem, "Mend the file, then reload again."))
            run.notify.ready()
        else:
            if refused:
                next_mailbox.put(change(run, BOARD, Condition.RECOVERED, "the configuration was reloaded", ""))
            return plan


async def _run(plan: Plan, run: Run, mailbox: Mailbox[Message], reload: Callable[[], None]) -> None:
    """Run one plan until cancelled."""
    run.greet(plan)
    realtime.make_urgent(plan.config.realtime.priority)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        with run.site.clock.held():  # starting takes none of the duct's time
            board = await make_board(plan, run, mailbox, reload, stack)
        for problem, remedy in (*_make_punctual(plan), *unanswered(plan), *unclear(plan)):
            mailbox.put(change(run, BOARD, Condition.DEGRADED, problem, remedy))
        if run.site.world is not None:
            group.create_task(fill_disk(run.site.world, run.site.clock), name="disk-full")
        group.create_task(board.run(), name="board")
        group.create_task(_feed(board, run.notify), name="watchdog")
        run.notify.ready()


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
