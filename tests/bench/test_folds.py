"""Data sets parted for measuring: nothing that is measured on is learned from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bench.folds import PLAN, BadData, Rounds, cross_validation, elpv, linked, prepare, write_round
from model.training.data.samples import Split, read_samples
from tests.model.training.data.photos import folder, photo, save

pytestmark = pytest.mark.real

RECIPE = ("code 1", "pillow 12.0", "numpy 2.1")
CELLS = [("0.0", "mono", 40), ("0.3333333333333333", "poly", 13), ("1.0", "mono", 27)]


def grouped(root: Path) -> Path:
    """Twelve photos of each class; those of one group are three that follow each other."""
    folder(root, clean=12, dirty=12)
    rows = [f"{label}/{n}.jpg,{label},g{label}{n // 3}" for label in ("clean", "dirty") for n in range(12)]
    (root / "manifest.csv").write_text("\n".join(["file,label,group", *rows]))
    return root


def cells(root: Path) -> Path:
    kinds = [(share, kind) for share, kind, count in CELLS for _ in range(count)]
    lines = [f"images/cell{number:04}.png  {share}  {kind}" for number, (share, kind) in enumerate(kinds)]
    (root / "labels.csv").write_text("\n".join(lines))
    return root


def test_each_photo_is_tested_on_once_with_its_group(tmp_path: Path) -> None:
    rounds = cross_validation(grouped(tmp_path), 4)

    assert np.sum(rounds.tested, axis=0).tolist() == [1] * 24
    assert np.unique(rounds.groups, return_counts=True)[1].tolist() == [3] * 8
    group = [(sample.label, int(sample.path.stem) // 3) for sample in rounds.samples]
    for tested in rounds.tested:
        inside = {one for one, is_in in zip(group, tested, strict=True) if is_in}
        assert inside.isdisjoint(one for one, is_in in zip(group, tested, strict=True) if not is_in)
        assert {label.value for label, _ in inside} == {"CLEAN", "DIRTY"}


def test_where_no_groups_are_given_twins_are_found(tmp_path: Path) -> None:
    folder(tmp_path, clean=6, dirty=6)
    save(tmp_path / "clean/twin.png", photo(0, 320, 240))

    rounds = cross_validation(tmp_path, 2)

    names = [sample.name for sample in rounds.samples]
    one, other = names.index("clean/0.jpg"), names.index("clean/twin.png")
    assert rounds.tested[0][one] == rounds.tested[0][other]
    assert rounds.groups[one] == rounds.groups[other]
    assert len(np.unique(rounds.groups)) == 12


def test_a_photo_without_a_group_is_named(tmp_path: Path) -> None:
    save(grouped(tmp_path) / "clean/new.jpg", photo(99))

    with pytest.raises(BadData, match=r"manifest\.csv: has no group for 1 of the photos, such as clean/new\.jpg"):
        cross_validation(tmp_path, 2)


def test_a_quarter_of_the_solar_cells_is_tested_on_and_of_each_kind(tmp_path: Path) -> None:
    rounds = elpv(cells(tmp_path), 3)

    assert sum(sample.label.value == "DIRTY" for sample in rounds.samples) == 27
    starts = np.cumsum([0, *(count for _, _, count in CELLS)])
    for tested in rounds.tested:
        assert tested.sum() == 20
        shares = [tested[start:end].sum() for start, end in pairwise(starts)]
        assert shares == pytest.approx([10, 13 / 4, 27 / 4], abs=1)
    assert not np.array_equal(rounds.tested[0], rounds.tested[1])
    assert len(np.unique(rounds.groups)) == 80


def test_another_file_of_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("images/cell0001.png,1.0,mono")

    with pytest.raises(BadData, match="its lines are not file, probability and kind"):
        elpv(tmp_path, 5)


def test_the_folders_are_read_as_they_were_meant(tmp_path: Path) -> None:
    rounds = cross_validation(grouped(tmp_path / "data"), 4)

    write_round(tmp_path / "round", rounds, 1)

    read = read_samples(tmp_path / "round")
    tested = {sample.path.resolve() for sample in read if sample.split is Split.TEST}
    assert {(sample.path.resolve(), sample.label) for sample in read} == {
        (sample.path, sample.label) for sample in rounds.samples
    }
    assert tested == {sample.path for sample, is_in in zip(rounds.samples, rounds.tested[1], strict=True) if is_in}


def test_photos_whose_names_differ_by_a_slash_alone_are_all_linked_and_known_again(tmp_path: Path) -> None:
    folder(tmp_path / "data", clean=4, dirty=6)
    save(tmp_path / "data/clean/a/b.jpg", photo(50))
    save(tmp_path / "data/clean/a_b.jpg", photo(51))
    rounds = cross_validation(tmp_path / "data", 2)

    for number in range(2):
        out = tmp_path / f"round-{number}"
        write_round(out, rounds, number)

        assert sum(path.is_symlink() for path in out.rglob("*")) == len(rounds.samples) == 12
        links = {str(path.relative_to(out)): path.resolve() for path in (out / "test").glob("*/*")}
        known = linked(rounds, number)
        assert [rounds.samples[known[name]].path for name in links] == list(links.values())


@pytest.fixture
def some(tmp_path: Path) -> Rounds:
    return cross_validation(grouped(tmp_path / "data"), 4)


def begun(out: Path, rounds: Rounds, recipe: Sequence[str] = RECIPE) -> Path:
    """A folder in which the first round has begun."""
    prepare(out, rounds, recipe)
    (out / "round-1").mkdir()
    return out


def test_a_folder_of_other_rounds_is_left_alone(some: Rounds, tmp_path: Path) -> None:
    out = begun(tmp_path / "out", some)

    prepare(out, some, RECIPE)

    with pytest.raises(BadData, match="has rounds of other photos: choose another --out"):
        prepare(out, cross_validation(tmp_path / "data", 3), RECIPE)


def test_rounds_of_another_recipe_come_into_no_table_with_these(some: Rounds, tmp_path: Path) -> None:
    out = begun(tmp_path / "out", some)
    before = (out / PLAN).read_text()

    with pytest.raises(BadData, match=r"another recipe \(code 1, numpy 2\.1; here it is code 2, numpy 2\.2\): choose"):
        prepare(out, some, ["code 2", "pillow 12.0", "numpy 2.2"])
    assert (out / PLAN).read_text() == before


def test_rounds_of_a_recipe_that_was_not_noted_come_into_no_table_with_these(some: Rounds, tmp_path: Path) -> None:
    with pytest.raises(BadData, match="has rounds of a recipe that was not noted then: choose another --out"):
        prepare(begun(tmp_path / "out", some, recipe=[]), some, RECIPE)


def test_a_folder_without_a_round_takes_any(some: Rounds, tmp_path: Path) -> None:
    prepare(tmp_path / "out", some, [])
    prepare(begun(tmp_path / "out", some), some, RECIPE)
