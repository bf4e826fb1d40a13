"""Folders of photos as people keep them."""

from __future__ import annotations

import os
import subprocess
import sys
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


def test_links_are_followed_and_one_that_leads_nowhere_is_a_picture_that_is_missing(tmp_path: Path) -> None:
    root = touch(tmp_path, "photos/clean/a.jpg", "photos/dirty/b.jpg", "elsewhere/day1/c.jpg") / "photos"
    (root / "clean/linked").symlink_to(tmp_path / "elsewhere")
    (root / "dirty/gone.jpg").symlink_to("nowhere.jpg")

    names = [sample.name for sample in read_samples(root)]

    assert names == ["clean/a.jpg", "clean/linked/day1/c.jpg", "dirty/b.jpg", "dirty/gone.jpg"]


def test_links_that_lead_back_are_not_gone_round(tmp_path: Path) -> None:
    root = touch(tmp_path, "photos/clean/a.jpg", "photos/dirty/b.jpg", "other/c.jpg") / "photos"
    (root / "clean/up").symlink_to("..")
    (root / "clean/other").symlink_to(tmp_path / "other")
    (tmp_path / "other/back").symlink_to(root / "clean")
    (root / "dirty/itself").symlink_to("itself")

    names = [sample.name for sample in read_samples(root)]

    assert names == ["clean/a.jpg", "clean/other/c.jpg", "dirty/b.jpg"]


def test_files_that_are_no_pictures_that_can_be_read_are_counted_by_kind(tmp_path: Path) -> None:
    root = touch(tmp_path, "clean/a.jpg", "clean/b.HEIC", "dirty/c.heic", "dirty/d.gif", "clean/Thumbs.db", "clean/._a")
    said: list[str] = []

    read_samples(root, remark=said.append)

    assert said == ["Files left out, as they are no pictures that can be read here: 3 (2 .heic, 1 .gif)."]


def test_what_lies_beside_the_classes_is_said_but_not_what_is_known_to(tmp_path: Path) -> None:
    known = ("between/x.jpg", "degrees.csv", "drawn.json", "learned-from.json", "photos.decisions.json", ".git/x")
    unknown = ("val/clean/c.jpg", "Dirty/d.jpg", "unsure/e.jpg", "f.jpg", "g.jpg", "README")
    root = touch(tmp_path, "clean/a.jpg", "dirty/b.jpg", "Thumbs.db", *known, *unknown)
    said: list[str] = []

    assert len(read_samples(root, remark=said.append)) == 2

    assert said == [
        "Folders left out, as they are no classes: Dirty/, unsure/, val/.",
        "Files left out, as they lie in neither clean/ nor dirty/: 3 (2 .jpg, 1 without a suffix).",
    ]


def test_what_lies_beside_the_parts_of_a_split_is_said(tmp_path: Path) -> None:
    root = touch(
        tmp_path, "train/clean/a.jpg", "test/dirty/b.jpg", "test/unsure/c.jpg", "val/clean/d.jpg", "train/e.png"
    )
    said: list[str] = []

    read_samples(root, remark=said.append)

    assert said == [
        "Folders left out, as they are no classes: val/, test/unsure/.",
        "Files left out, as they lie in neither clean/ nor dirty/: 1 (1 .png).",
    ]


def test_a_folder_that_may_not_be_read_is_no_empty_one(tmp_path: Path) -> None:
    root = touch(tmp_path, "clean/day1/a.jpg", "dirty/b.jpg")
    (root / "clean/day1").chmod(0)
    as_anybody = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []

    done = subprocess.run(
        [*as_anybody, sys.executable, "-m", "firmware", "model", "data", root],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert "clean/day1: cannot be read (Permission denied). Check who may read it" in done.stderr
    assert done.returncode == 2


def test_a_link_to_a_class_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (touch(tmp_path, "dirty/b.jpg") / "clean").symlink_to("nowhere")

    with pytest.raises(BadDataset, match=r"clean: cannot be read \(No such file or directory\)"):
        read_samples(tmp_path)


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


def test_a_manifest_of_another_name_is_told_which_ones_are_read(tmp_path: Path) -> None:
    touch(tmp_path, "ok.txt")

    with pytest.raises(
        BadDataset, match=r"ok\.txt: is no folder, and a manifest's name ends in \.json, \.jsonl, \.man"
    ):
        read_samples(tmp_path / "ok.txt")


def test_one_class_alone_teaches_nothing(tmp_path: Path) -> None:
    samples = read_samples(touch(tmp_path, *(f"clean/{number}.jpg" for number in range(30))))

    with pytest.raises(BadDataset, match="only 0 of the pictures are DIRTY, and a training needs 10 of each"):
        require_trainable(samples, fewest=10)
