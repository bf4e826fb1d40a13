"""What is found among pictures, and what no longer is once a person has decided."""

from __future__ import annotations

import numpy as np
import pytest

from model.training.data.audit import audit
from model.training.data.findings import FEWEST, Finding, Kind
from model.training.data.looking import Seen
from model.training.data.samples import Split
from tests.model.training.data.photos import seen

ALIKE = 5000  # the hashes of a picture that is none of `ENOUGH`
ENOUGH = [
    seen(f"{label}/{n}.jpg", prints=1000 * place + n)
    for place, label in enumerate(["clean", "dirty"])
    for n in range(FEWEST)
]


def found(*pictures: Seen, kind: Kind | None = None, decided: tuple[str, ...] = ()) -> list[Finding]:
    """Among these and enough others that nothing is wrong with."""
    findings = audit([*ENOUGH, *pictures], None, decided=decided).findings
    return [finding for finding in findings if kind in (None, finding.kind)]


def test_pictures_that_nothing_is_wrong_with_need_nobody() -> None:
    assert not audit(ENOUGH, None).needs_person
    assert found() == []


def test_files_that_are_gone_or_broken_are_named_with_the_reason() -> None:
    gone = seen("clean/gone.jpg", prints=None, missing=True, problem="there is no file")
    cut = seen("dirty/cut.jpg", prints=None, problem="is cut off")

    assert found(gone, cut) == [
        Finding(kind=Kind.MISSING, names=("clean/gone.jpg",), why="there is no file"),
        Finding(kind=Kind.UNREADABLE, names=("dirty/cut.jpg",), why="is cut off"),
    ]


def test_a_broken_file_cannot_be_kept() -> None:
    cut = seen("dirty/cut.jpg", prints=None, problem="is cut off")

    assert found(cut, decided=("dirty/cut.jpg",))


def test_the_same_file_twice_is_no_matter_for_a_person() -> None:
    pictures = seen("clean/a copy.jpg", prints=ALIKE, sha256="a"), seen("clean/a.jpg", prints=ALIKE, sha256="a")

    (finding,) = found(*pictures)

    assert (finding.kind, finding.names) == (Kind.EXACT, ("clean/a.jpg", "clean/a copy.jpg"))
    assert not audit([*ENOUGH, *pictures], None).needs_person


def test_near_twins_come_with_the_largest_first() -> None:
    (finding,) = found(seen("clean/a.jpg", prints=ALIKE), seen("clean/b.jpg", prints=ALIKE, width=4000))

    assert (finding.kind, finding.names, finding.why) == (Kind.NEAR, ("clean/b.jpg", "clean/a.jpg"), "2 alike")


def test_one_picture_labelled_both_ways_contradicts_itself() -> None:
    (finding,) = found(seen("clean/a.jpg", prints=ALIKE, sha256="a"), seen("dirty/a.jpg", prints=ALIKE, sha256="a"))

    assert finding.kind is Kind.CONTRADICTION
    assert finding.why == "the same file: 1 clean and 1 dirty"


def test_a_duct_before_and_after_cleaning_is_settled_once_both_are_kept() -> None:
    before, after = seen("dirty/a.jpg", prints=ALIKE), seen("clean/a.jpg", prints=ALIKE)

    assert found(before, after, decided=("dirty/a.jpg",))
    assert not found(before, after, decided=("dirty/a.jpg", "clean/a.jpg"))


def test_pictures_that_are_merely_near_do_not_contradict() -> None:
    before, after = seen("dirty/a.jpg", prints=ALIKE), seen("clean/a.jpg", prints=ALIKE)
    assert after.prints is not None
    after.prints[0] ^= np.uint64(0b11111)  # 5 bits

    assert found(before, after, kind=Kind.CONTRADICTION) == []


def test_a_twin_in_the_test_set_is_a_leak() -> None:
    (finding,) = found(
        seen("train/clean/a.jpg", prints=ALIKE, split=Split.TRAIN),
        seen("test/clean/b.jpg", prints=ALIKE, split=Split.TEST),
    )

    assert (finding.kind, finding.why) == (Kind.ACROSS, "alike: 1 test and 1 train")


def test_groups_are_what_a_split_must_not_part() -> None:
    group = audit([*ENOUGH, seen("clean/a.jpg", prints=ALIKE), seen("dirty/b.jpg", prints=ALIKE)], None).group

    assert group["clean/a.jpg"] == group["dirty/b.jpg"]
    assert len(set(group.values())) == len(ENOUGH) + 1


@pytest.mark.parametrize(
    ("clean", "dirty", "kind"),
    [
        (5, 0, Kind.TOO_FEW),
        (0, 0, Kind.TOO_FEW),
        (FEWEST, FEWEST - 1, Kind.TOO_FEW),
        (5 * FEWEST, FEWEST, Kind.IMBALANCE),
    ],
    ids=str,
)
def test_too_few_of_a_class_or_too_many_of_the_other(clean: int, dirty: int, kind: Kind) -> None:
    pictures = [seen(f"clean/{n}.jpg", prints=n) for n in range(clean)]
    pictures += [seen(f"dirty/{n}.jpg", prints=1000 + n) for n in range(dirty)]

    (finding,) = audit(pictures, None).findings

    assert (finding.kind, finding.names, finding.why) == (kind, (), f"{clean:,} clean and {dirty:,} dirty")


def test_without_features_nobody_says_that_labels_are_right() -> None:
    assert audit(ENOUGH, None).not_looked_for == {Kind.MISLABELLED, Kind.OUTLIER}


def test_a_wrong_label_is_found_until_a_person_has_decided() -> None:
    random = np.random.default_rng(0)
    features = (3 + random.normal(size=(len(ENOUGH), 32))).astype(np.float32)
    features[: FEWEST + 1, :16] += 3  # the first dirty one, too, looks like a clean one

    result = audit(ENOUGH, features)
    settled = audit(ENOUGH, features, decided=["dirty/0.jpg"])

    assert [finding.names for finding in result.findings if finding.kind is Kind.MISLABELLED] == [("dirty/0.jpg",)]
    assert result.not_looked_for == frozenset()
    assert settled.findings == ()
