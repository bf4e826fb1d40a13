"""Boards and server over a network that loses, doubles and delays, and a server that is started anew in between."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firmware.fleet.service import Service
from firmware.fleet.store import Store
from ota.job_messages import Publication, Status
from ota.jobs import Again, Lost, Noted, Offer, Outcome
from ota.rollout import Phase, totals
from tests.firmware.fleet.builders import PREFIX, Board, rollout

pytestmark = pytest.mark.real

NAMES = [f"duct-{number}" for number in range(6)]
ROUNDS = 400
PLAN = rollout(percents=[30, 100], soak_s=3, deadline_s=120)


@dataclass
class Worker:
    """A board that carries jobs out, some with success, and knows what it was asked and what was heard of it."""

    board: Board
    succeeds: bool
    offers: int = 0
    heard: Status | None = None
    waiting: list[Publication] = field(default_factory=list)

    def take(self, outcome: Outcome | None) -> None:
        port = self.board.port
        match outcome:
            case Offer() if outcome.job.status is Status.QUEUED:
                self.offers += 1
                self.waiting.append(port.accept(outcome.job))
            case Offer():
                self.waiting.append(port.finish(outcome.job, self._result, {"version": "2"}))
            case Noted() if outcome.job.status is Status.IN_PROGRESS:
                self.waiting.append(port.finish(outcome.job, self._result, {"version": "2"}))
            case Noted():
                self.heard = outcome.job.status
            case Again():
                self.waiting.append(outcome.answer)
            case Lost():
                self.heard = outcome.status

    @property
    def _result(self) -> Status:
        return Status.SUCCEEDED if self.succeeds else Status.FAILED


class Air:
    """Between them: each message may be lost, come twice, and come later than others."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._under_way: list[Publication] = []

    def send(self, publications: list[Publication]) -> None:
        for publication in publications:
            self._under_way += [publication] * self._chance.choice([0, 1, 1, 1, 2])

    def arrive(self) -> list[Publication]:
        self._chance.shuffle(self._under_way)
        count = self._chance.randint(0, len(self._under_way))
        arrived, self._under_way = self._under_way[:count], self._under_way[count:]
        return arrived


@pytest.mark.parametrize("seed", range(30))
def test_all_boards_are_asked_once_and_both_sides_come_to_the_same_end(seed: int) -> None:
    chance = random.Random(seed)
    fleet = {name: Worker(Board(name), succeeds=chance.random() < 0.7) for name in NAMES}
    to_server, to_boards = Air(chance), Air(chance)
    in_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as folder:
        path = Path(folder) / "fleet.sqlite"
        with Store(path) as store:
            store.add(PLAN)
        for _ in range(ROUNDS):
            with Store(path) as store:  # each round is another life of the server
                service = Service(store, PREFIX, wall_s=lambda: 1_700_000_000)
                _round(fleet, service, to_server, to_boards, chance)
                if phase(store) is Phase.FINISHED and all(worker.heard for worker in fleet.values()):
                    break

        with Store(path) as store:
            assert phase(store) is Phase.FINISHED
            kept = {one.board: one.status for one in store.tickets_of("r1")}
            counted = totals(store.progress(PLAN))
    assert [worker.offers for worker in fleet.values()] == [1] * len(fleet)
    assert kept == {name: worker.heard for name, worker in fleet.items()}
    assert kept == {name: Status.SUCCEEDED if worker.succeeds else Status.FAILED for name, worker in fleet.items()}
    assert (counted.succeeded, counted.failed) == (
        sum(worker.succeeds for worker in fleet.values()),
        sum(not worker.succeeds for worker in fleet.values()),
    )


def _round(fleet: dict[str, Worker], service: Service, to_server: Air, to_boards: Air, chance: random.Random) -> None:
    for name, worker in fleet.items():
        service.received(f"{PREFIX}/{name}/availability", b"online")
        unanswered = worker.board.port.unanswered
        if worker.waiting:
            to_server.send(worker.waiting)
            worker.waiting = []
        elif unanswered is not None:
            to_server.send([unanswered])
        elif worker.heard is None and chance.random() < 0.5:
            to_server.send([worker.board.port.next()])
    for message in to_server.arrive():
        to_boards.send(list(service.received(message.topic, message.payload)))
    to_boards.send(list(service.tick(chance.random())))
    for message in to_boards.arrive():
        worker = fleet[message.topic.split("/")[1]]
        worker.take(worker.board.port.received(message.topic, message.payload))


def phase(store: Store) -> Phase:
    found = store.rollout("r1")
    assert found is not None
    return found.phase
