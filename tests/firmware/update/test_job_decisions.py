"""What a board does about a job, as a table: by its slots, by what its channel offers, and by the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from drivers.types import Instant
from firmware.observations import UpdateChange, UpdateStep
from firmware.update.job_decisions import (
    Ask,
    Asked,
    Assignment,
    Decision,
    Finish,
    Reject,
    Report,
    Standing,
    Time,
    Wait,
    begins_s,
    decide,
    details_of,
)
from ota.job_messages import MAX_DETAILS, JobDocument, Status
from ota.jobs import Job
from ota.slot_states import Happened, Held, Record, Shipped, Slot, SlotEvent, SlotName, SlotState
from ota.types import Release, Target

WANTED = 12
BEGUN_S = 1_000_000.0
NOW = Time(wall_s=BEGUN_S + 60)


def assignment(*, begun: bool = True, known: frozenset[Happened] | None = None, **document: Any) -> Assignment:
    fields: dict[str, Any] = {
        "channel": "stable",
        "model": "visual-clean",
        "release_counter": WANTED,
        "rollout": "r1",
    } | document
    status = Status.IN_PROGRESS if begun else Status.QUEUED
    return Assignment(
        job=Job(id="r1", status=status, version=1),
        document=JobDocument(**fields),
        queued_s=BEGUN_S - 100,
        begun_s=BEGUN_S if begun else None,
        known=known,
    )


def held(counter: int = WANTED) -> Held:
    return Held(model="visual-clean", version=f"{counter}.0", counter=counter, sha256=f"{counter:064x}", length=100)


def slot(state: SlotState, counter: int = WANTED) -> Slot:
    return Slot(state=state, holds=held(counter))


def offered(counter: int = WANTED, hardware: tuple[str, ...] = ("any",)) -> Release:
    target = Target(path="stable/visual-clean.tar", length=100, sha256=f"{counter:064x}")
    return Release(target=target, model="visual-clean", version=f"{counter}.0", counter=counter, hardware=hardware)


def board(record: Record | None = None, **changes: Any) -> Standing:
    standing = Standing(
        channel="stable",
        model="visual-clean",
        hardware=frozenset({"any", "aarch64"}),
        shipped=Shipped(model="visual-clean", counter=1, version="1.0"),
        record=record or Record(),
    )
    return replace(standing, **changes)


def happened(event: SlotEvent, at_s: float, why: str = "too slow", counter: int = WANTED) -> Happened:
    return Happened(at_s=int(at_s), slot=SlotName.A, event=event, release=str(held(counter)), why=why)


def ended(event: SlotEvent, at_s: float) -> Record:
    """The release that was wanted ended so."""
    gone = event is SlotEvent.EXPIRE
    return Record(
        a=Slot() if gone else slot(SlotState.BAD),
        bad=() if gone else (held().sha256,),
        history=(happened(event, at_s),),
    )


GOOD = Record(a=slot(SlotState.GOOD), active=SlotName.A)
OLD_ON_PROBATION = Record(a=slot(SlotState.PROBATION, 11), active=SlotName.A)
EXPIRED_AGO = ended(SlotEvent.EXPIRE, BEGUN_S - 3600)
BAD_AGO = ended(SlotEvent.FAIL, BEGUN_S - 3600)
FAILED_BEFORE = Asked(job="r1", offered=offered(), why="visual-clean 12.0 failed on this board before")


def failed(reason: str, **details: str) -> Finish:
    return Finish(Status.FAILED, {"version": "1.0", "step": "refused", **details, "reason": reason})


BEGINS = Report({"step": "begun"})
FELL = failed("too slow", release="visual-clean 12.0")


@pytest.mark.parametrize(
    ("it", "standing", "time", "decision"),
    [
        pytest.param(
            assignment(begun=False, channel="canary"),
            board(GOOD),
            NOW,
            Reject("this board has visual-clean of stable, not visual-clean of canary"),
            id="of another channel",
        ),
        pytest.param(
            assignment(model="other"),
            board(GOOD),
            NOW,
            Reject("this board has visual-clean of stable, not other of stable"),
            id="of another model",
        ),
        pytest.param(
            assignment(begun=False),
            board(GOOD),
            Time(wall_s=None, open=False),
            Finish(Status.SUCCEEDED, {"version": "12.0", "step": "already", "release_counter": "12"}),
            id="it has that release already, whatever the time",
        ),
        pytest.param(
            assignment(begun=False, release_counter=11),
            board(GOOD),
            NOW,
            Finish(Status.SUCCEEDED, {"version": "12.0", "step": "already", "release_counter": "12"}),
            id="it has a newer one already",
        ),
        pytest.param(
            assignment(begun=False),
            board(shipped=Shipped(model="visual-clean", counter=12, version="1.0")),
            NOW,
            Finish(Status.SUCCEEDED, {"version": "1.0", "step": "already", "release_counter": "12"}),
            id="it came with the firmware",
        ),
        pytest.param(
            assignment(begun=False),
            board(shipped=Shipped(model="other", counter=12)),
            NOW,
            BEGINS,
            id="another model in the firmware does not count",
        ),
        pytest.param(
            assignment(),
            board(GOOD),
            NOW,
            Finish(Status.SUCCEEDED, {"version": "12.0", "step": "kept", "release_counter": "12"}),
            id="good meanwhile, also over a restart",
        ),
        *(
            pytest.param(
                assignment(begun=begun),
                board(Record(a=slot(state), active=SlotName.A if state is SlotState.PROBATION else None)),
                Time(wall_s=None, open=False),
                Report({"step": state.value, "release": "visual-clean 12.0"}),
                id=f"{state.value}, {'begun' if begun else 'before the job came'}",
            )
            for state in (SlotState.STAGED, SlotState.TRIAL, SlotState.PROBATION)
            for begun in (True, False)
        ),
        *(
            pytest.param(assignment(), board(ended(event, BEGUN_S + 5)), NOW, FELL, id=f"ended by {event.value}")
            for event in (SlotEvent.FAIL, SlotEvent.ROLL_BACK, SlotEvent.UNUSABLE)
        ),
        pytest.param(
            assignment(),
            board(ended(SlotEvent.EXPIRE, BEGUN_S + 5), asked=Asked(job="r1", offered=offered())),
            NOW,
            FELL,
            id="came to no verdict in time",
        ),
        pytest.param(
            assignment(),
            board(ended(SlotEvent.LOSE, BEGUN_S + 5)),
            NOW,
            Ask(),
            id="lost on the disk: it may come again",
        ),
        pytest.param(
            assignment(), board(BAD_AGO), NOW, Ask(), id="failed before the job: perhaps there is a newer one"
        ),
        pytest.param(
            assignment(known=frozenset()),
            board(EXPIRED_AGO, asked=Asked(job="r1", offered=offered())),
            NOW,
            FELL,
            id="came to no verdict since, by a board whose clock is behind the service's",
        ),
        pytest.param(
            assignment(known=frozenset(ended(SlotEvent.EXPIRE, BEGUN_S + 5).history)),
            board(ended(SlotEvent.EXPIRE, BEGUN_S + 5), asked=Asked(job="r1", offered=offered())),
            NOW,
            Ask(),
            id="came to no verdict before, by a board whose clock was behind when it began",
        ),
        pytest.param(
            assignment(),
            board(BAD_AGO, asked=FAILED_BEFORE),
            NOW,
            failed("visual-clean 12.0 failed on this board before: too slow", release="visual-clean 12.0"),
            id="failed before the job, and there is no newer one",
        ),
        pytest.param(
            assignment(),
            board(asked=Asked(job="r1", offered=offered(11), why="visual-clean 11.0 has 11, wanted 12")),
            NOW,
            failed("visual-clean 11.0 has 11, wanted 12", release="visual-clean 11.0"),
            id="the channel offers less",
        ),
        pytest.param(
            assignment(),
            board(asked=Asked(job="r1", why="the channel stable offers no visual-clean")),
            NOW,
            failed("the channel stable offers no visual-clean"),
            id="the channel offers none, or nothing is proved",
        ),
        pytest.param(
            assignment(),
            board(asked=Asked(job="r1", offered=offered(hardware=("imx8mp",)), why="it is for imx8mp")),
            NOW,
            Reject("it is for imx8mp"),
            id="for other boards",
        ),
        pytest.param(assignment(), board(), NOW, Ask(), id="begun, and nothing was asked"),
        pytest.param(assignment(), board(busy=True), NOW, Report({"step": "asking"}), id="asking"),
        pytest.param(
            assignment(),
            board(asked=Asked(job="r1", why="no answer", later=True)),
            Time(wall_s=None, rested=False),
            Report({"step": "postponed", "reason": "no answer"}),
            id="something is in the way",
        ),
        pytest.param(
            assignment(),
            board(asked=Asked(job="r1", why="no answer", later=True)),
            NOW,
            Ask(),
            id="something was in the way",
        ),
        pytest.param(
            assignment(begun=False),
            board(OLD_ON_PROBATION),
            NOW,
            Wait("for the verdict on visual-clean 11.0"),
            id="an older one is on probation",
        ),
        pytest.param(
            assignment(),
            board(Record(a=slot(SlotState.TRIAL, 11))),
            NOW,
            Ask(),
            id="an older one on trial gives way",
        ),
        pytest.param(assignment(begun=False), board(), Time(wall_s=None), BEGINS, id="at once, whatever the time"),
        pytest.param(
            assignment(begun=False),
            board(),
            Time(wall_s=None, open=False),
            Wait("until a maintenance window is open"),
            id="out of its window",
        ),
        pytest.param(
            assignment(),
            board(),
            Time(wall_s=None, open=False),
            Wait("until a maintenance window is open"),
            id="begun in a window that is over: a restart in the middle",
        ),
        pytest.param(
            assignment(begun=False, not_before=datetime.fromtimestamp(BEGUN_S + 100, UTC)),
            board(),
            NOW,
            Wait("for 40 s", 40.0),
            id="too early",
        ),
        pytest.param(
            assignment(begun=False, not_before=datetime.fromtimestamp(BEGUN_S + 50, UTC)),
            board(),
            NOW,
            BEGINS,
            id="not too early any more",
        ),
        pytest.param(
            assignment(begun=False, jitter_s=10),
            board(),
            Time(wall_s=None),
            Wait("until the board knows the time"),
            id="no clock to tell whether it is time",
        ),
    ],
)
def test_what_a_board_does_about_a_job(it: Assignment, standing: Standing, time: Time, decision: Decision) -> None:
    assert decide(it, standing, time, "duct-1") == decision


def test_each_board_has_its_own_part_of_the_jitter_and_the_same_after_a_restart() -> None:
    it = assignment(begun=False, jitter_s=3600)

    parts = [begins_s(it, f"duct-{number}") - (BEGUN_S - 100) for number in range(200)]

    assert parts == [begins_s(it, f"duct-{number}") - (BEGUN_S - 100) for number in range(200)]
    assert 0 <= min(parts) < 200
    assert 3400 < max(parts) <= 3600


def change(step: UpdateStep, **figures: float) -> UpdateChange:
    return UpdateChange(step=step, release="visual-clean 12.0", why="because", figures=figures, at=Instant(0))


def test_what_was_measured_goes_into_the_report() -> None:
    examined = change(UpdateStep.TRIAL, golden_agreement=1.0, p95_ms=12.5)
    refused = change(UpdateStep.REFUSED, p95_ms=312.75)

    report = decide(assignment(), board(Record(a=slot(SlotState.TRIAL)), change=examined), NOW, "duct-1")
    finish = decide(assignment(), board(ended(SlotEvent.FAIL, BEGUN_S + 5), change=refused), NOW, "duct-1")

    told = {"release": "visual-clean 12.0", "reason": "because"}
    assert report == Report({"step": "trial", **told, "golden_agreement": "1", "p95_ms": "12.5"})
    assert finish == Finish(Status.FAILED, {**FELL.details, "p95_ms": "312.75"})


def test_a_download_is_told_in_percent() -> None:
    fetching = change(UpdateStep.FETCHING, here_bytes=512.0, of_bytes=2048.0)

    assert decide(assignment(), board(busy=True, change=fetching), NOW, "duct-1") == Report(
        {"step": "fetching", "release": "visual-clean 12.0", "percent": "25"}
    )


def test_the_most_telling_details_come_first_since_the_rest_may_be_cut_off() -> None:
    many = change(UpdateStep.TRIAL, **{f"figure_{number}": float(number) for number in range(2 * MAX_DETAILS)})

    assert list(details_of(many))[:3] == ["step", "release", "reason"]
