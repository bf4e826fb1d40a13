from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from bench.fleet_board import Board, Install, Later, Say, Settled, Step, Withdrawn
from firmware.update.board_facts import facts
from model.manifest import Manifest, parse_manifest
from model.selftest import Answers
from model.shipped import shipped_bundle
from ota.bundle import open_bundle
from ota.job_messages import JobDocument, Publication, Status
from ota.slot_states import Shipped
from ota.types import Delta, Release, Target
from tests.ota.builders import MODEL, release

BEFORE, NEW = release(1), release(2)
DELTA = Target(path=f"stable/{MODEL}.from-1.delta", length=5, sha256="d" * 64)
RIGHT = Answers(pictures=4, agreement=1.0, worst_lsb=0, accuracy=None)
WRONG = Answers(pictures=4, agreement=0.5, worst_lsb=90, accuracy=None)
JITTER_S = 60
NOW_S = 1_700_000_000.0


@pytest.fixture
def manifest() -> Manifest:
    return parse_manifest(open_bundle(shipped_bundle()).manifest)


def board(*, deltas: bool = True) -> Board:
    here = facts(latency_budget_ms=150.0, named=None)
    return Board("duct-1", BEFORE, here, shipped=Shipped(model=MODEL, counter=0), deltas=deltas)


def with_delta(one: Release) -> Release:
    return replace(one, deltas=(Delta(target=DELTA, base=BEFORE.target.sha256),))


def news(it: Board, status: str | None = "QUEUED", version: int = 1) -> tuple[str, bytes]:
    document = JobDocument(channel="stable", model=MODEL, release_counter=2, rollout="spring", jitter_s=JITTER_S)
    execution = {
        "jobId": "spring",
        "status": status,
        "versionNumber": version,
        "queuedAt": int(NOW_S),
        "jobDocument": msgspec.Raw(document.encoded()),
    }
    return it.topics("notify-next"), msgspec.json.encode({"execution": execution if status else {}})


def accepted(said: Publication) -> tuple[str, bytes]:
    token = msgspec.json.decode(said.payload)["clientToken"]
    return f"{said.topic}/accepted", msgspec.json.encode({"clientToken": token})


def said(step: Step | None) -> Publication:
    assert isinstance(step, Say)
    return step.publication


def begun(it: Board) -> None:
    """The service has heard that it has begun, and it is about to fetch."""
    it.heard(*news(it), NOW_S)
    accept = said(it.looked(NOW_S + JITTER_S))
    assert it.heard(*accepted(accept), NOW_S + JITTER_S) == Install()


def test_a_board_begins_some_time_within_the_jitter_and_once() -> None:
    it = board()

    later = it.heard(*news(it), NOW_S)

    assert isinstance(later, Later)
    assert 0 < later.after_s <= JITTER_S
    assert isinstance(it.looked(NOW_S + later.after_s - 0.1), Later)
    assert it.heard(*news(it), NOW_S) is None
    assert b"IN_PROGRESS" in said(it.looked(NOW_S + later.after_s + 0.1)).payload


def test_a_job_that_is_withdrawn_before_is_not_begun() -> None:
    it = board()
    it.heard(*news(it), NOW_S)

    assert isinstance(it.heard(*news(it, status=None), NOW_S), Withdrawn)
    assert it.looked(NOW_S + JITTER_S) is None


def test_once_it_is_installed_the_board_says_what_it_has_and_has_settled(manifest: Manifest) -> None:
    it = board()
    begun(it)

    it.installed(NEW, manifest, RIGHT, NOW_S + JITTER_S)
    finish = said(it.looked(NOW_S + JITTER_S))

    assert msgspec.json.decode(finish.payload)["statusDetails"] == {
        "version": "1.2",
        "step": "kept",
        "release_counter": "2",
    }
    assert it.heard(*accepted(finish), NOW_S + JITTER_S) == Settled(Status.SUCCEEDED)


def test_what_failed_is_said_with_its_reason(manifest: Manifest) -> None:
    it = board()
    begun(it)

    it.installed(NEW, manifest, WRONG, NOW_S + JITTER_S)
    finish = msgspec.json.decode(said(it.looked(NOW_S + JITTER_S)).payload)

    assert finish["status"] == "FAILED"
    assert "50% of 4 golden pictures" in finish["statusDetails"]["reason"]


def test_a_job_for_what_it_has_is_done_at_once_as_on_a_real_board(manifest: Manifest) -> None:
    it = board()
    it.installed(NEW, manifest, RIGHT, NOW_S)

    assert b"already" in said(it.heard(*news(it), NOW_S)).payload


@pytest.mark.parametrize(("deltas", "expected"), [(True, DELTA), (False, NEW.target)])
def test_a_board_with_the_base_fetches_the_delta(deltas: bool, expected: Target) -> None:
    assert board(deltas=deltas).wanted(with_delta(NEW)) == expected


def test_a_delta_from_another_base_is_of_no_use() -> None:
    it = board()
    it.installed(NEW, parse_manifest(open_bundle(shipped_bundle()).manifest), RIGHT, NOW_S)

    assert it.wanted(with_delta(release(3))) == release(3).target


def test_what_a_board_has_it_does_not_want_again() -> None:
    with pytest.raises(ValueError, match="is what runs already"):
        board().wanted(BEFORE)


def test_a_model_that_answers_as_expected_is_kept(manifest: Manifest) -> None:
    it = board()

    it.installed(NEW, manifest, RIGHT, NOW_S)

    assert it.record.active is not None
    assert str(it.record[it.record.active].holds) == f"{MODEL} 1.2"


def test_a_model_that_answers_wrongly_is_never_wanted_again(manifest: Manifest) -> None:
    it = board()

    it.installed(NEW, manifest, WRONG, NOW_S)

    assert it.record.active is not None
    assert str(it.record[it.record.active].holds) == f"{MODEL} 1.1"
    with pytest.raises(ValueError, match="failed on this board before"):
        it.wanted(NEW)
