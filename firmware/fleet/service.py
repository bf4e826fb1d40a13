"""The Jobs server without its broker: messages in and out, and the rollouts move on. All state is in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from firmware.fleet.answering import Call, announced, answer, call, changed
from firmware.fleet.store import Store
from firmware.fleet.types import Board, Moment, Rollout, Ticket
from ota.job_messages import JobTopics, Publication, Status
from ota.rollout import apply, decide, join, note

AVAILABILITY = "availability"  # below a board's name; retained (docs/events.md)
LONGEST_WORD = 32


class Service:
    """Blocking, for one thread. Methods raise `StoreFailed`, and then nothing was changed or is to be published.

    Also `Full`, for a board too many: it is in no rollout to come.

    `wall_s` tells seconds since 1970: for people and in messages. Deadlines go by the store's own clock.
    """

    def __init__(self, store: Store, prefix: str, *, wall_s: Callable[[], float]) -> None:
        self._store = store
        self._prefix = prefix
        self._wall_s = wall_s

    def received(self, topic: str, payload: bytes) -> tuple[Publication, ...]:
        """What a board asked or reported. What is none of ours is passed over."""
        board, _, last = topic.removeprefix(f"{self._prefix}/").partition("/")
        if last == AVAILABILITY:
            return self._met(board, payload)
        asked = call(self._prefix, topic)
        return () if asked is None else self._answered(asked, payload)

    def tick(self, listened_s: float) -> tuple[Publication, ...]:
        """`listened_s` seconds were listened since the last time. Let steps time out, and the rollouts move on."""
        at = round(self._wall_s())
        with self._store.transaction():
            now = Moment(at, self._store.listened(listened_s, at))
            overdue = self._store.overdue(now.listened_s)
            moved = {board for one in self._store.unfinished() for board in self._advance(one, overdue, now)}
            return tuple(message for board in sorted(moved) for message in self._told(board, now))

    def greeting(self) -> tuple[Publication, ...]:
        """For boards that asked while nobody listened: which job each of them has."""
        now = self._now()
        boards = self._store.waiting_boards()
        return tuple(announced(JobTopics(self._prefix, board), self._store.tickets(board), now) for board in boards)

    def _advance(self, rollout: Rollout, overdue: Sequence[Ticket], now: Moment) -> list[str]:
        before = self._store.progress(rollout)
        known = (one.name for one in self._store.boards() if rollout.is_for(one.name))
        after = join(rollout.plan, before, (*rollout.named, *known))
        for ticket in overdue:
            if ticket.rollout == rollout.id:
                after = note(after, ticket.board, Status.TIMED_OUT, now.listened_s)
        after = apply(after, decide(rollout.plan, after, now.listened_s), now.listened_s)
        return self._store.save(rollout, before, after, now)

    def _told(self, board: str, now: Moment) -> tuple[Publication, ...]:
        topics, tickets = JobTopics(self._prefix, board), self._store.tickets(board)
        return changed(topics, tickets, now), announced(topics, tickets, now)

    def _met(self, board: str, payload: bytes) -> tuple[Publication, ...]:
        """An empty word is how a retained one is cleared: the board is no more, for rollouts that start later."""
        try:
            JobTopics(self._prefix, board)
            if not payload:
                self._store.miss(board)
                return ()
            self._store.meet(Board(name=board, availability=payload[:LONGEST_WORD].decode("ascii", "replace")))
        except ValueError:  # a name that no thing has
            return ()
        return ()

    def _answered(self, asked: Call, payload: bytes) -> tuple[Publication, ...]:
        with self._store.transaction():
            answered = answer(asked, payload, self._store.tickets(asked.topics.thing), self._now())
            if answered.changed is not None:
                self._store.write(answered.changed)
        return answered.publications

    def _now(self) -> Moment:
        return Moment(round(self._wall_s()), self._store.clock()[0])
