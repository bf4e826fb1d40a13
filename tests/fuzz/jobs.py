"""Any bytes as a message about jobs: a board drops it with words or knows it; the server answers."""

from __future__ import annotations

import json
from collections.abc import Iterable

from firmware.fleet.answering import Call, answer
from firmware.fleet.types import Moment, Ticket
from ota.job_messages import BadMessage, JobTopics, Publication, Status
from ota.jobs import Jobs, Noted, Offer, Unusable
from ota.rollout import Member

MAX_BYTES = 4_096
NOW = Moment(1_700_000_000, 10.0)
TOPICS = JobTopics("ductwatch", "duct-1")
DOCUMENT = {"operation": "ota", "channel": "stable", "model": "visual-clean", "release_counter": 12, "rollout": "r1"}
TICKETS = (
    Ticket(
        rollout="r1",
        board="duct-1",
        document=json.dumps(DOCUMENT).encode(),
        member=Member(cohort=0, status=Status.IN_PROGRESS, offered_s=1.0),
        version=2,
        details={"step": "download"},
    ),
    Ticket(rollout="r2", board="duct-1", document=b"{}", member=Member(cohort=0, status=Status.QUEUED, offered_s=2.0)),
)
OPERATIONS = (("get",), ("start-next",), ("$next", "get"), ("r1", "get"), ("r1", "update"), ("r2", "update"))
WORDS = (
    *(f'"status":"{status.value}"' for status in Status),
    '"statusDetails":{"a":"b"}',
    '"expectedVersion":2',
    '"stepTimeoutInMinutes":5',
    '"clientToken":"t"',
    '"executionState":{"status":"QUEUED","versionNumber":1}',
    '"execution":{}',
    '"code":"VersionMismatch"',
    '"jobDocument":"{}"',
    "\\ud800",
    "1e999",
)


def seeds() -> Iterable[bytes]:
    """A first byte that chooses who hears it, then the message."""
    execution = {"jobId": "r1", "status": "QUEUED", "versionNumber": 1, "jobDocument": DOCUMENT}
    state = {"status": "IN_PROGRESS", "versionNumber": 3, "statusDetails": {"a": "b"}}
    messages: tuple[dict[str, object], ...] = (
        {},
        {"execution": execution, "clientToken": "t", "timestamp": 1},
        {"execution": execution | {"jobDocument": json.dumps(DOCUMENT)}},
        {"execution": {}},
        {"executionState": state, "clientToken": "t"},
        {"code": "VersionMismatch", "message": "no", "executionState": state, "clientToken": "t"},
        {"status": "SUCCEEDED", "expectedVersion": 2, "statusDetails": {"a": "b"}, "stepTimeoutInMinutes": 5},
        {"status": "IN_PROGRESS", "clientToken": "t", "includeJobExecutionState": True},
    )
    for number, message in enumerate(messages):
        for chosen in (number, number + 8):
            yield bytes([chosen]) + json.dumps(message).encode()


def check(data: bytes) -> None:
    chosen, payload = data[:1] or b"\0", data[1:]
    _as_a_board(chosen[0], payload)
    _as_the_server(OPERATIONS[chosen[0] % len(OPERATIONS)], payload)


def _as_a_board(chosen: int, payload: bytes) -> None:
    jobs = Jobs(TOPICS, token=lambda: "t")
    jobs.received(TOPICS("notify-next"), json.dumps({"execution": {}}).encode())
    asked = jobs.next()
    if chosen & 8:
        execution = {"jobId": "r1", "status": "QUEUED", "versionNumber": 1, "jobDocument": DOCUMENT}
        offer = jobs.received(
            f"{asked.topic}/accepted", json.dumps({"execution": execution, "clientToken": "t"}).encode()
        )
        assert isinstance(offer, Offer)
        asked = jobs.progress(offer.job, {"a": "b"})
    topic = (f"{asked.topic}/accepted", f"{asked.topic}/rejected", TOPICS("notify-next"))[chosen % 3]
    try:
        outcome = jobs.received(topic, payload)
    except BadMessage as dropped:
        assert str(dropped)
        return
    match outcome:
        case Offer():
            json.loads(outcome.document.encoded())
        case Unusable():
            assert json.loads(outcome.answer.payload)["status"] == "REJECTED"
        case Noted():
            assert outcome.job.id == "r1"


def _as_the_server(levels: tuple[str, ...], payload: bytes) -> None:
    answered = answer(Call(TOPICS, levels), payload, TICKETS, NOW)
    first, *news = answered.publications
    assert first.topic in (TOPICS(*levels, "accepted"), TOPICS(*levels, "rejected"))
    assert {one.topic for one in news} <= {TOPICS("notify"), TOPICS("notify-next")}
    told = json.loads(first.payload)
    assert ("code" in told) == first.topic.endswith("rejected")
    if answered.changed is not None:
        (before,) = (one for one in TICKETS if one.rollout == answered.changed.rollout)
        assert answered.changed.version == before.version + 1
        assert answered.changed.board == before.board
        _is_heard(news)


def _is_heard(news: Iterable[Publication]) -> None:
    """Whatever the server tells by itself is a message that a board knows. The document of `r2` asks for nothing."""
    board = Jobs(TOPICS, token=lambda: "t")
    for one in news:
        board.received(one.topic, one.payload)
