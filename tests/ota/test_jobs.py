"""What a board says about its jobs, and what it makes of the answers; messages as AWS documents them."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ota.job_messages import (
    BOARD_MAY,
    MAX_DETAILS,
    MAX_MESSAGE_BYTES,
    SERVICE_MAY,
    BadMessage,
    JobDocument,
    JobTopics,
    Publication,
    Status,
)
from ota.jobs import Again, Job, Jobs, Lost, Noted, Nothing, Offer, Unusable

TOPICS = JobTopics("$aws/things", "duct-1")
DOCUMENT = {"operation": "ota", "channel": "stable", "model": "visual-clean", "release_counter": 12, "rollout": "r1"}
JOB = Job(id="r1", status=Status.QUEUED, version=1)


def jobs() -> Jobs:
    numbers = itertools.count(1)
    return Jobs(TOPICS, token=lambda: f"t{next(numbers)}")


def fields(publication: Publication) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(publication.payload)
    return decoded


def execution(**further: object) -> dict[str, object]:
    """As the developer guide shows one, and a field that it does not show."""
    return {
        "jobId": "r1",
        "thingName": "duct-1",
        "jobDocument": DOCUMENT,
        "status": "QUEUED",
        "queuedAt": 1489096123,
        "lastUpdatedAt": 1489096123,
        "versionNumber": 1,
        "executionNumber": 1234567890,
        "approximateSecondsBeforeTimedOut": 88,
    } | further


def message(**parts: object) -> bytes:
    return json.dumps(parts | {"timestamp": 1489088524}).encode()


def test_a_board_asks_for_its_next_job_and_is_offered_one() -> None:
    board = jobs()

    asked = board.next()
    outcome = board.received(f"{asked.topic}/accepted", message(clientToken="t1", execution=execution()))

    assert asked == Publication("$aws/things/duct-1/jobs/$next/get", b'{"clientToken":"t1","includeJobDocument":true}')
    assert isinstance(outcome, Offer)
    assert outcome.job == JOB
    assert (outcome.document.channel, outcome.document.release_counter) == ("stable", 12)
    assert board.unanswered is None


def test_a_job_that_begins_anew_under_its_name_is_offered_to_whoever_asks() -> None:
    board = jobs()
    late = message(execution=execution(versionNumber=1))
    board.received(TOPICS("notify-next"), message(execution=execution(versionNumber=3)))

    assert board.received(TOPICS("notify-next"), late) is None

    asked = board.next()
    outcome = board.received(f"{asked.topic}/accepted", message(clientToken="t1", execution=execution(versionNumber=1)))
    assert isinstance(outcome, Offer)
    assert outcome.job == JOB


@pytest.mark.parametrize("none", [{}, {"execution": {}}], ids=str)
def test_no_job_waits(none: dict[str, object]) -> None:
    board = jobs()

    asked = board.next()

    assert board.received(f"{asked.topic}/accepted", message(clientToken="t1", **none)) == Nothing()


def test_a_job_goes_from_accepted_over_progress_to_finished_by_its_version() -> None:
    board = jobs()

    accepted = board.accept(JOB, step_timeout_min=30)
    begun = board.received(f"{accepted.topic}/accepted", message(clientToken="t1"))
    assert isinstance(begun, Noted)
    progress = board.progress(begun.job, {"percent": "50"})
    state = {"status": "IN_PROGRESS", "statusDetails": {"percent": "50"}, "versionNumber": 3}
    going = board.received(f"{progress.topic}/accepted", message(clientToken="t2", executionState=state))
    assert isinstance(going, Noted)
    finished = board.finish(going.job, Status.SUCCEEDED, {"version": "1.2.0"})

    assert accepted.topic == "$aws/things/duct-1/jobs/r1/update"
    assert fields(accepted) == {
        "clientToken": "t1",
        "status": "IN_PROGRESS",
        "expectedVersion": 1,
        "includeJobExecutionState": True,
        "stepTimeoutInMinutes": 30,
    }
    assert [fields(one)["expectedVersion"] for one in (accepted, progress, finished)] == [1, 2, 3]
    assert fields(finished)["status"] == "SUCCEEDED"


def test_an_answer_that_was_lost_is_recognised_when_the_same_is_said_again() -> None:
    board = jobs()
    finished = board.finish(JOB, Status.SUCCEEDED, {"version": "1.2.0"})
    assert board.unanswered == finished

    state = {"status": "SUCCEEDED", "statusDetails": {"version": "1.2.0"}, "versionNumber": 2}
    rejected = message(clientToken="t1", code="InvalidStateTransition", executionState=state)
    outcome = board.received(f"{finished.topic}/rejected", rejected)

    assert outcome == Noted(Job(id="r1", status=Status.SUCCEEDED, version=2))
    assert board.unanswered is None


def test_a_result_that_is_not_answered_is_not_lost_by_asking_for_the_next_job() -> None:
    board = jobs()
    finished = board.finish(JOB, Status.SUCCEEDED, {})

    assert board.next() == finished
    board.received(f"{finished.topic}/accepted", message(clientToken="t1"))
    assert board.next().topic == TOPICS("$next", "get")


def test_a_board_that_is_behind_says_it_again_for_the_version_that_is_there() -> None:
    board = jobs()
    finished = board.finish(JOB, Status.FAILED, {"reason": "no room"})

    state = {"status": "IN_PROGRESS", "versionNumber": 7}
    outcome = board.received(
        f"{finished.topic}/rejected", message(clientToken="t1", code="VersionMismatch", executionState=state)
    )

    assert isinstance(outcome, Again)
    assert fields(outcome.answer) == fields(finished) | {"expectedVersion": 7, "clientToken": "t2"}


def test_a_job_that_was_withdrawn_meanwhile_is_lost() -> None:
    board = jobs()
    accepted = board.accept(JOB)

    state = {"status": "CANCELED", "versionNumber": 2}
    rejected = message(clientToken="t1", code="InvalidStateTransition", message="over", executionState=state)

    assert board.received(f"{accepted.topic}/rejected", rejected) == Lost(
        "InvalidStateTransition", "over", Status.CANCELED
    )


def test_news_of_another_next_job_is_an_offer_and_news_of_none_is_none() -> None:
    board = jobs()

    offer = board.received(TOPICS("notify-next"), message(execution=execution(status="IN_PROGRESS", versionNumber=4)))
    nothing = board.received(TOPICS("notify-next"), message())

    assert isinstance(offer, Offer)
    assert offer.job == Job(id="r1", status=Status.IN_PROGRESS, version=4)
    assert nothing == Nothing()


def test_news_that_were_overtaken_on_their_way_begin_nothing_again() -> None:
    board = jobs()
    finished = board.finish(JOB, Status.SUCCEEDED, {})
    assert isinstance(board.received(f"{finished.topic}/accepted", message(clientToken="t1")), Noted)

    assert board.received(TOPICS("notify-next"), message(execution=execution())) is None


def test_answers_to_others_or_to_what_was_asked_before_are_passed_over() -> None:
    board = jobs()
    first = board.next()
    second = board.next()

    assert board.received(f"{first.topic}/accepted", message(clientToken="t1", execution=execution())) is None
    assert board.received("$aws/things/duct-2/jobs/$next/get/accepted", message(clientToken="t2")) is None
    assert board.received(TOPICS("notify"), b"{}") is None
    assert board.unanswered == second


BAD_DOCUMENTS: dict[str, object] = {
    "another operation": DOCUMENT | {"operation": "reboot"},
    "no operation at all": {"channel": "stable"},
    "a key that is not known": DOCUMENT | {"url": "http://evil"},
    "a counter that is text": DOCUMENT | {"release_counter": "12"},
    "a channel that is a path": DOCUMENT | {"channel": "../stable"},
    "a time without a zone": DOCUMENT | {"not_before": "2026-05-01T02:00:00"},
    "jitter of a week": DOCUMENT | {"jitter_s": 604800},
    "a list": [],
    "text that is no JSON": "{",
    "nothing": None,
}


@pytest.mark.parametrize("document", BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS)
def test_a_document_that_asks_for_what_no_board_knows_is_rejected_with_the_reason(document: object) -> None:
    board = jobs()

    outcome = board.received(TOPICS("notify-next"), message(execution=execution(jobDocument=document)))

    assert isinstance(outcome, Unusable)
    said = fields(outcome.answer)
    assert (said["status"], said["expectedVersion"]) == ("REJECTED", 1)
    assert said["statusDetails"]["reason"]


def test_a_document_may_come_as_text_that_holds_json() -> None:
    outcome = jobs().received(TOPICS("notify-next"), message(execution=execution(jobDocument=json.dumps(DOCUMENT))))

    assert isinstance(outcome, Offer)


BAD_MESSAGES = {
    "no JSON": b"\xff",
    "a list": b"[]",
    "no status": message(execution={"jobId": "r1", "versionNumber": 1}),
    "a status of its own": message(execution=execution(status="DONE")),
    "a job with a path for a name": message(execution=execution(jobId="../r1")),
    "another board's": message(execution=execution(thingName="duct-2")),
    "too long": b" " * (MAX_MESSAGE_BYTES + 1),
    "deep": b'{"execution":' + b"[" * 50_000,
}


@pytest.mark.parametrize("payload", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_message_that_is_not_as_it_must_be_is_dropped_with_words(payload: bytes) -> None:
    with pytest.raises(BadMessage):
        jobs().received(TOPICS("notify-next"), payload)


def test_details_are_cut_to_what_the_service_takes() -> None:
    details = {f"k{number}": "long\n" * 1000 for number in range(40)}

    said = fields(jobs().progress(JOB, details))["statusDetails"]

    assert len(said) == MAX_DETAILS
    assert {len(value) for value in said.values()} == {1024}
    assert "\n" not in said["k0"]


def test_a_document_survives_the_way_with_all_it_says() -> None:
    document = JobDocument(
        channel="stable",
        model="visual-clean",
        release_counter=12,
        rollout="r1",
        not_before=datetime(2026, 5, 1, 2, tzinfo=UTC),
        jitter_s=600,
    )

    assert msgspec.json.decode(document.encoded(), type=JobDocument) == document
    assert json.loads(document.encoded()) == DOCUMENT | {"not_before": "2026-05-01T02:00:00Z", "jitter_s": 600}


def test_what_is_final_moves_no_more() -> None:
    final = {status for status in Status if status.is_final}

    assert final == set(Status) - {Status.QUEUED, Status.IN_PROGRESS}
    assert BOARD_MAY.keys() == SERVICE_MAY.keys() == set(Status) - final


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "x" * 129, "a\n"], ids=repr)
def test_a_name_that_no_thing_can_have_makes_no_topics(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a board"):
        JobTopics("$aws/things", name)
