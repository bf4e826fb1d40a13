"""What a person decided: kept, carried out, and never on another picture than the one that was looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.training.data.decisions import (
    BadDecisions,
    Choice,
    Decision,
    apply,
    beside,
    merge,
    read_decisions,
    write_decisions,
)
from model.training.data.samples import Sample
from model.types import Label

SHA256 = "ab" * 32


def decision(
    name: str, choice: Choice | None, *, sha256: str | None = SHA256, at: str = "2026-11-26T10:00:00Z"
) -> Decision:
    return Decision(name=name, sha256=sha256, choice=choice, at=at)


def sample(name: str) -> Sample:
    return Sample(name=name, path=Path(name), label=Label.DIRTY if "dirty" in name else Label.CLEAN)


def by_name(*decisions: Decision) -> dict[str, Decision]:
    return {one.name: one for one in decisions}


def test_what_is_excluded_is_gone_and_what_is_relabelled_has_its_new_label() -> None:
    samples = [sample("clean/a.jpg"), sample("clean/b.jpg"), sample("dirty/c.jpg"), sample("dirty/d.jpg")]
    decisions = by_name(
        decision("clean/a.jpg", Choice.EXCLUDE),
        decision("clean/b.jpg", Choice.DIRTY),
        decision("dirty/c.jpg", Choice.KEEP),
    )

    applied = apply(samples, decisions, lambda _: SHA256)

    assert [(one.name, one.label) for one in applied.samples] == [
        ("clean/b.jpg", Label.DIRTY),
        ("dirty/c.jpg", Label.DIRTY),
        ("dirty/d.jpg", Label.DIRTY),
    ]
    assert applied.decided == {name: one.choice for name, one in decisions.items()}
    assert applied.stale == ()


def test_a_decision_is_not_on_another_file_of_the_same_name() -> None:
    applied = apply([sample("clean/a.jpg")], by_name(decision("clean/a.jpg", Choice.EXCLUDE)), lambda _: "cd" * 32)

    assert [one.name for one in applied.samples] == ["clean/a.jpg"]
    assert applied.stale == ("clean/a.jpg",)


def test_what_was_taken_back_is_as_if_nobody_had_decided() -> None:
    applied = apply([sample("clean/a.jpg")], by_name(decision("clean/a.jpg", None)), lambda _: SHA256)

    assert [one.name for one in applied.samples] == ["clean/a.jpg"]
    assert (applied.decided, applied.stale) == ({}, ())


def test_only_files_with_a_decision_are_read() -> None:
    asked: list[str] = []

    apply(
        [sample("clean/a.jpg"), sample("clean/b.jpg")],
        by_name(decision("clean/b.jpg", Choice.KEEP)),
        lambda one: asked.append(one.name),
    )

    assert asked == ["clean/b.jpg"]


def test_a_missing_file_stays_excluded_until_it_is_there() -> None:
    decisions = by_name(decision("clean/a.jpg", Choice.EXCLUDE, sha256=None))

    assert apply([sample("clean/a.jpg")], decisions, lambda _: None).samples == ()
    assert apply([sample("clean/a.jpg")], decisions, lambda _: SHA256).stale == ("clean/a.jpg",)


def test_the_later_decision_counts() -> None:
    old, new = (
        decision("a", Choice.KEEP, at="2026-11-26T10:00:00Z"),
        decision("a", Choice.DIRTY, at="2026-11-26T11:00:00Z"),
    )
    only = decision("b", Choice.EXCLUDE)

    assert merge(by_name(old, only), by_name(new)) == by_name(new, only)
    assert merge(by_name(new), by_name(old)) == by_name(new)


def test_what_was_taken_back_later_stays_so_whatever_an_older_file_says() -> None:
    old = by_name(decision("a", Choice.EXCLUDE, at="2026-11-26T10:00:00Z"))
    taken_back = by_name(decision("a", None, at="2026-11-26T11:00:00Z"))

    assert merge(old, taken_back) == taken_back
    assert merge(merge(old, taken_back), old) == taken_back


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    decisions = by_name(*(decision(f"clean/{choice.value} ü.jpg", choice) for choice in Choice))
    decisions |= by_name(decision("gone.jpg", Choice.EXCLUDE, sha256=None), decision("back.jpg", None))

    write_decisions(tmp_path / "photos.decisions.json", decisions)

    assert read_decisions(tmp_path / "photos.decisions.json") == decisions
    assert [path.name for path in tmp_path.iterdir()] == ["photos.decisions.json"]


def test_without_a_file_nothing_is_decided(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / "none.json") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[]", "no schema ductwatch.decisions/1"),
        ('{"schema": "ductwatch.decisions/2", "decisions": []}', "no schema ductwatch.decisions/1"),
        ('{"schema": "ductwatch.decisions/1"}', "decisions is no list"),
        ('{"schema": "ductwatch.decisions/1", "decisions": [], "by": "me"}', "unknown key 'by'"),
        ([{}], "decision 1: no name"),
        ([3], "decision 1: not an object"),
        (
            [{"name": "a", "sha256": SHA256, "decision": "drop"}],
            "on a: decision is none of keep, exclude, clean, dirty",
        ),
        ([{"name": "a", "sha256": SHA256, "decision": ["keep"]}], "on a: decision is none of"),
        ([{"name": "a", "sha256": SHA256}], "on a: decision is none of"),
        ([{"name": "a", "sha256": "ab", "decision": "keep"}], "on a: sha256 has not 64 digits"),
        ([{"name": "a", "decision": "keep"}], "on a: sha256 has not 64 digits"),
        ([{"name": "a", "sha256": SHA256, "decision": "keep", "at": 3}], "on a: at is no time"),
        ([{"name": "a", "sha256": SHA256, "decision": "keep", "why": ""}], "decision 1: unknown key 'why'"),
        ([{"name": "a", "sha256": None, "decision": "keep"}] * 2, "decision 2: a second one on a"),
        ("[" * 100_000, "not JSON"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_file_that_cannot_be_used_is_named_and_left_as_it_is(tmp_path: Path, text: object, said: str) -> None:
    path = tmp_path / "photos.decisions.json"
    content = text if isinstance(text, str) else json.dumps({"schema": "ductwatch.decisions/1", "decisions": text})
    path.write_text(content)

    with pytest.raises(BadDecisions, match=f"photos.decisions.json: .*{said}"):
        read_decisions(path)
    assert path.read_text() == content


def test_a_place_that_cannot_be_written_is_named_and_nothing_stays(tmp_path: Path) -> None:
    place = tmp_path / "photos.decisions.json"
    place.mkdir()

    with pytest.raises(BadDecisions, match=r"photos.decisions.json: cannot be written"):
        write_decisions(place, by_name(decision("a", Choice.KEEP)))
    assert list(tmp_path.rglob("*")) == [place]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ("photos", "photos.decisions.json"),
        ("photos/", "photos.decisions.json"),
        ("a/out.manifest", "a/out.manifest.decisions.json"),
    ],
)
def test_decisions_are_beside_the_data(data: str, place: str) -> None:
    assert beside(Path(data)) == Path(place)


def test_the_folder_that_one_is_in_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path / "photos")

    assert beside(Path()) == tmp_path / "photos.decisions.json"
