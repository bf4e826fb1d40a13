"""The Jobs server without a broker: boards speak by their port, the store is a file, time is given."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.fleet.service import Service
from firmware.fleet.store import Store
from firmware.fleet.types import Moment, Rollout
from ota.job_messages import Publication, Status
from ota.jobs import Lost, Noted, Nothing, Offer
from ota.rollout import Phase, Step, totals
from tests.firmware.fleet.builders import HOUR_S, PREFIX, Board, fields, rollout

pytestmark = pytest.mark.real

NOW = 1_700_000_100


class Fleet:
    """Boards and their server, side by side."""

    def __init__(self, path: Path, count: int) -> None:
        self.path = path
        self.store = Store(path)
        self.service = Service(self.store, PREFIX, wall_s=lambda: NOW)
        self.boards = {f"duct-{number}": Board(f"duct-{number}") for number in range(count)}
        for name in self.boards:
            self.service.received(f"{PREFIX}/{name}/availability", b"online")

    def start(self, started: Rollout) -> tuple[Publication, ...]:
        self.store.add(started)
        return self.service.tick(0)

    def say(self, board: str, publication: Publication) -> object:
        """What comes back at once; news that follow are dropped."""
        (outcome, *_) = self.boards[board].hears(self.service.received(publication.topic, publication.payload))
        return outcome

    def offer(self, board: str) -> Offer:
        outcome = self.say(board, self.boards[board].port.next())
        assert isinstance(outcome, Offer)
        return outcome

    def report(self, board: str, status: Status) -> object:
        return self.say(board, self.boards[board].port.finish(self.offer(board).job, status, {"version": "1.2.0"}))

    def look(self, name: str = "r1") -> Rollout:
        found = self.store.rollout(name)
        assert found is not None
        return found


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    in_memory = Path("/dev/shm")  # nobody cuts the power here: need no test wait for the disk
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as folder:
        made = Fleet(Path(folder) / "fleet.sqlite", 4)
        with made.store:
            yield made


def test_a_rollout_goes_out_is_taken_and_is_finished(fleet: Fleet) -> None:
    told = fleet.start(rollout())
    for name, board in fleet.boards.items():
        (offer,) = board.hears(told)
        assert isinstance(offer, Offer)
        assert offer.document.release_counter == 12
        begun = fleet.say(name, board.port.accept(offer.job, step_timeout_min=30))
        assert isinstance(begun, Noted)
        assert isinstance(fleet.say(name, board.port.finish(begun.job, Status.SUCCEEDED, {"version": "1"})), Noted)
    fleet.service.tick(1)

    assert fleet.look().phase is Phase.FINISHED
    assert [(one.status, one.version, dict(one.details)) for one in fleet.store.tickets_of("r1")] == [
        (Status.SUCCEEDED, 3, {"version": "1"})
    ] * 4


def test_what_was_said_is_there_after_a_restart(fleet: Fleet) -> None:
    fleet.start(rollout())
    fleet.report("duct-0", Status.SUCCEEDED)
    fleet.report("duct-1", Status.FAILED)

    with Store(fleet.path) as again:
        some = totals(again.progress(fleet.look()))
        greeting = Service(again, PREFIX, wall_s=lambda: NOW).greeting()

    assert (some.succeeded, some.failed, some.queued) == (1, 1, 2)
    assert [one.topic for one in greeting] == [f"{PREFIX}/duct-{number}/jobs/notify-next" for number in (2, 3)]


def test_time_that_nobody_listened_counts_for_no_deadline(fleet: Fleet) -> None:
    fleet.start(rollout(deadline_s=10))

    fleet.service.tick(9)
    assert totals(fleet.store.progress(fleet.look())).queued == 4
    with Store(fleet.path) as again:  # after a night
        Service(again, PREFIX, wall_s=lambda: NOW + 50_000).tick(0.5)
    assert totals(fleet.store.progress(fleet.look())).queued == 4

    told = fleet.service.tick(1)
    assert totals(fleet.store.progress(fleet.look())).failed == 4
    assert fleet.boards["duct-0"].hears(told) == [Nothing()]


def test_a_step_that_takes_too_long_has_failed_and_its_board_hears_so(fleet: Fleet) -> None:
    fleet.start(rollout())
    board = fleet.boards["duct-0"]
    begun = fleet.say("duct-0", board.port.accept(fleet.offer("duct-0").job, step_timeout_min=1))
    assert isinstance(begun, Noted)

    fleet.service.tick(61)
    late = fleet.say("duct-0", board.port.finish(begun.job, Status.SUCCEEDED, {}))

    assert isinstance(late, Lost)
    assert (late.code, late.status) == ("InvalidStateTransition", Status.TIMED_OUT)
    assert totals(fleet.store.progress(fleet.look())).failed == 1
    assert [one.version for one in fleet.store.tickets("duct-0")] == [3]


def test_an_abort_withdraws_what_nobody_has_begun(fleet: Fleet) -> None:
    fleet.start(rollout())
    board = fleet.boards["duct-0"]
    begun = fleet.say("duct-0", board.port.accept(fleet.offer("duct-0").job))
    assert isinstance(begun, Noted)

    fleet.store.move("r1", Step.ABORT, "wrong model", Moment(NOW, 0))
    fleet.service.tick(1)

    assert isinstance(fleet.say("duct-0", board.port.finish(begun.job, Status.SUCCEEDED, {})), Noted)
    assert fleet.say("duct-1", fleet.boards["duct-1"].port.next()) == Nothing()
    some = totals(fleet.store.progress(fleet.look()))
    assert (some.succeeded, some.withdrawn) == (1, 3)
    assert (fleet.look().phase, fleet.look().why) == (Phase.ABORTED, "wrong model")


def test_a_paused_rollout_offers_nothing_to_boards_that_come(fleet: Fleet) -> None:
    fleet.start(rollout())
    fleet.store.move("r1", Step.PAUSE, "lunch", Moment(NOW, 0))
    fleet.service.received(f"{PREFIX}/duct-9/availability", b"online")
    fleet.service.tick(1)
    assert totals(fleet.store.progress(fleet.look())).waiting == 1

    fleet.store.move("r1", Step.RESUME, "back", Moment(NOW, 0))
    fleet.service.tick(1)

    assert totals(fleet.store.progress(fleet.look())).queued == 5


def test_a_rollout_to_named_boards_takes_no_others_in(fleet: Fleet) -> None:
    fleet.start(rollout(boards=["duct-1", "duct-77"]))

    assert set(fleet.store.progress(fleet.look()).members) == {"duct-1", "duct-77"}


def test_a_board_in_two_rollouts_does_one_after_the_other(fleet: Fleet) -> None:
    fleet.start(rollout("r1"))
    fleet.start(rollout("r2"))

    assert fleet.offer("duct-0").job.id == "r1"
    fleet.report("duct-0", Status.SUCCEEDED)

    assert fleet.offer("duct-0").job.id == "r2"
    assert totals(fleet.store.progress(fleet.look("r2"))).queued == 4


def test_what_a_board_has_begun_is_its_next_job_also_if_another_is_older(fleet: Fleet) -> None:
    fleet.start(rollout("r1"))
    fleet.start(rollout("r2"))

    told = fleet.service.received(f"{PREFIX}/duct-0/jobs/r2/update", b'{"status":"IN_PROGRESS"}')

    (offer,) = fleet.boards["duct-0"].hears(told)
    assert isinstance(offer, Offer)
    assert offer.job == fleet.offer("duct-0").job
    assert (offer.job.id, offer.job.status) == ("r2", Status.IN_PROGRESS)


def test_start_next_starts_the_oldest_and_gives_it_again(fleet: Fleet) -> None:
    fleet.start(rollout())
    topic = f"{PREFIX}/duct-0/jobs/start-next"

    first, again = (fields(fleet.service.received(topic, b'{"clientToken":"x"}')[0]) for _ in range(2))

    assert first["execution"]["status"] == "IN_PROGRESS"
    assert first["execution"]["jobDocument"]["operation"] == "ota"
    assert first["execution"] == again["execution"]
    assert fields(fleet.service.received(f"{PREFIX}/duct-9/jobs/start-next", b"")[0]) == {"timestamp": NOW}


def test_a_board_lists_its_jobs(fleet: Fleet) -> None:
    fleet.start(rollout("r1"))
    fleet.start(rollout("r2"))
    board = fleet.boards["duct-0"]
    fleet.say("duct-0", board.port.accept(fleet.offer("duct-0").job))

    listed = fields(fleet.service.received(f"{PREFIX}/duct-0/jobs/get", b"")[0])

    assert [one["jobId"] for one in listed["inProgressJobs"]] == ["r1"]
    assert [one["jobId"] for one in listed["queuedJobs"]] == ["r2"]


UPDATE = {"status": "SUCCEEDED", "clientToken": "t"}
REFUSED: dict[str, tuple[str, object, str]] = {
    "another board's job": ("duct-9/jobs/r1/update", UPDATE, "ResourceNotFound"),
    "no such job": ("duct-0/jobs/r9/update", UPDATE, "ResourceNotFound"),
    "no status": ("duct-0/jobs/r1/update", {"clientToken": "t"}, "InvalidRequest"),
    "a status of its own": ("duct-0/jobs/r1/update", UPDATE | {"status": "DONE"}, "InvalidRequest"),
    "a status of the service's": ("duct-0/jobs/r1/update", UPDATE | {"status": "CANCELED"}, "InvalidRequest"),
    "an old version": ("duct-0/jobs/r1/update", UPDATE | {"expectedVersion": 7}, "VersionMismatch"),
    "a key that is not known": ("duct-0/jobs/r1/update", UPDATE | {"sudo": True}, "InvalidRequest"),
    "details that are lists": ("duct-0/jobs/r1/update", UPDATE | {"statusDetails": {"a": []}}, "InvalidRequest"),
    "many details": (
        "duct-0/jobs/r1/update",
        UPDATE | {"statusDetails": {f"k{number}": "v" for number in range(17)}},
        "InvalidRequest",
    ),
    "a step of a year": ("duct-0/jobs/r1/update", UPDATE | {"stepTimeoutInMinutes": 525_600}, "InvalidRequest"),
    "a list": ("duct-0/jobs/r1/update", [], "InvalidRequest"),
    "no JSON": ("duct-0/jobs/r1/update", b"{", "InvalidJson"),
    "no text": ("duct-0/jobs/r1/update", b'{"clientToken":"\xff"}', "InvalidJson"),
    "deep": ("duct-0/jobs/r1/update", b"[" * 100_000, "InvalidRequest"),
    "long": ("duct-0/jobs/r1/update", b" " * 200_000, "InvalidRequest"),
    "another execution": ("duct-0/jobs/r1/update", UPDATE | {"executionNumber": 2}, "ResourceNotFound"),
    "another operation": ("duct-0/jobs/r1/delete", {}, "InvalidTopic"),
}


@pytest.mark.parametrize(("topic", "request_", "code"), REFUSED.values(), ids=REFUSED)
def test_what_a_board_may_not_say_is_refused_and_changes_nothing(
    fleet: Fleet, topic: str, request_: object, code: str
) -> None:
    fleet.start(rollout())
    before = fleet.store.tickets_of("r1")
    payload = request_ if isinstance(request_, bytes) else json.dumps(request_).encode()

    (rejected,) = fleet.service.received(f"{PREFIX}/{topic}", payload)

    assert rejected.topic == f"{PREFIX}/{topic}/rejected"
    assert fields(rejected)["code"] == code
    if isinstance(request_, dict) and request_:
        assert fields(rejected)["clientToken"] == "t"
    assert fleet.store.tickets_of("r1") == before


@pytest.mark.parametrize(
    "topic", ["ductwatch//jobs/get", "ductwatch/a b/jobs/get", "other/duct-0/jobs/get", "ductwatch/duct-0/reading/x"]
)
def test_topics_that_are_no_boards_are_passed_over(fleet: Fleet, topic: str) -> None:
    assert fleet.service.received(topic, b"{}") == ()


def test_a_board_whose_retained_word_is_cleared_is_forgotten(fleet: Fleet) -> None:
    fleet.service.received(f"{PREFIX}/duct-0/availability", b"")

    assert [one.name for one in fleet.store.boards()] == ["duct-1", "duct-2", "duct-3"]


def test_duplicates_and_late_reports_change_no_totals(fleet: Fleet) -> None:
    fleet.start(rollout())
    topic = f"{PREFIX}/duct-0/jobs/r1/update"
    failed = json.dumps(UPDATE | {"status": "FAILED"}).encode()

    fleet.service.received(topic, json.dumps(UPDATE).encode())
    before = totals(fleet.store.progress(fleet.look()))
    for payload in (json.dumps(UPDATE).encode(), failed, json.dumps(UPDATE | {"status": "IN_PROGRESS"}).encode()):
        assert fields(fleet.service.received(topic, payload)[0])["code"] == "InvalidStateTransition"

    assert totals(fleet.store.progress(fleet.look())) == before
    assert before.succeeded == 1


def test_a_soak_is_waited_out_on_the_servers_clock(fleet: Fleet) -> None:
    fleet.start(rollout(percents=[50, 100], soak_s=HOUR_S))
    first = [one.board for one in fleet.store.tickets_of("r1")]
    assert 0 < len(first) < 4
    for name in first:
        fleet.report(name, Status.SUCCEEDED)

    fleet.service.tick(HOUR_S - 1)
    assert len(fleet.store.tickets_of("r1")) == len(first)
    fleet.service.tick(2)
    assert len(fleet.store.tickets_of("r1")) == 4
