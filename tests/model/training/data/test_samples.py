"""Folders of photos as people keep them."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.training.data.samples import BadDataset, Split, read_samples, require_trainable
from model.types import Label


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_folders_say_what_is_clean_and_what_is_dirty(tmp_path: Path) -> None:
    root = touch(tmp_path, "dirty/b.JPG", "clean/day1/a.png", "clean/notes.txt", "clean/Thumbs.db")

    samples = read_samples(root)

    assert [(sample.name, sample.label, sample.split) for sample in samples] == [
        ("clean/day1/a.png", Label.CLEAN, Split.ANY),
        ("dirty/b.JPG", Label.DIRTY, Split.ANY),
    ]


def test_whoever_has_split_already_is_believed(tmp_path: Path) -> None:
    root = touch(tmp_path, "train/clean/a.jpg", "train/dirty/b.jpg", "test/clean/c.jpg", "test/dirty/d.jpg")

    splits = {sample.name: sample.split for sample in read_samples(root)}

    assert splits["train/clean/a.jpg"] is Split.TRAIN
    assert splits["test/dirty/d.jpg"] is Split.TEST


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "has neither clean/ nor dirty/"),
        (["photos/a.jpg"], "has neither clean/ nor dirty/"),
        (["clean/readme.txt"], "holds no picture"),
        (["train/clean/a.jpg", "dirty/b.jpg"], "both"),
        (["train/a.jpg", "test/clean/a.jpg"], "train: has neither"),
    ],
    ids=str,
)
def test_another_layout_is_refused_with_the_one_that_is_needed(tmp_path: Path, names: list[str], said: str) -> None:
    with pytest.raises(BadDataset, match=f"{said}.*It needs folders clean/ and dirty/"):
        read_samples(touch(tmp_path, *names))


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="photos: there is no such folder or manifest"):
        read_samples(tmp_path / "photos")


def test_one_class_alone_teaches_nothing(tmp_path: Path) -> None:
    samples = read_samples(touch(tmp_path, *(f"clean/{number}.jpg" for number in range(30))))

    with pytest.raises(BadDataset, match="only 0 of the pictures are DIRTY, and a training needs 10 of each"):
        require_trainable(samples, fewest=10)
