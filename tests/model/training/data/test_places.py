"""Nothing is written into the data, nothing of another kind is replaced, and asking leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from model.errors import NoPlace
from model.training.data.places import in_data, require_away, require_file, require_place

pytestmark = pytest.mark.real


def test_asking_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()

    require_place(tmp_path / "new" / "below", "--out")
    require_place(tmp_path / "there", "--out")
    require_file(tmp_path / "another" / "answers.jsonl", "--answers", ours="answers")

    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


def test_a_folder_that_cannot_be_made_is_said_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NoPlace, match=r"file/kept: Not a directory\. Choose another folder for --checkpoints"):
        require_place(tmp_path / "file" / "kept", "--checkpoints")


def test_a_folder_that_cannot_be_written_is_said_with_its_option() -> None:
    """In /proc nobody may: not even root, whom no permission stops."""
    with pytest.raises(NoPlace, match=r"/proc/self: .*\. Choose another folder for --report"):
        require_file(Path("/proc/self/index.html"), "--report", ours="measured")


@pytest.mark.parametrize(
    "place",
    ["photos", "photos/out", "other/../photos/clean/out", "photos/clean/link", "elsewhere/out"],
    ids=["itself", "in it", "by a detour", "a link in it that leads out of it", "what a link in it leads to"],
)
def test_what_lies_in_the_data_is_refused_and_not_made(tmp_path: Path, place: str) -> None:
    for name in ("photos/clean", "other", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "photos/clean/link").symlink_to(tmp_path / "other")
    (tmp_path / "photos/dirty").symlink_to(tmp_path / "elsewhere")
    before = files(tmp_path)

    with pytest.raises(NoPlace, match=r"lies in the data .*nothing is ever written into the data"):
        require_place(tmp_path / place, "--out", away_from=in_data(tmp_path / "photos", [], []))
    assert files(tmp_path) == before


def test_beside_the_data_is_not_in_it(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()

    require_away(tmp_path / "photos-trained", in_data(tmp_path / "photos", [], []), "--out")


def test_pictures_of_a_manifest_lie_in_its_places_and_where_it_says(tmp_path: Path) -> None:
    manifest, copy = tmp_path / "lists/output.manifest", tmp_path / "copy"
    names = ("copy/0.jpg", "photos/clean/0.jpg", "photos/clean/1.jpg", "lists/dirty/0.jpg")

    found = in_data(manifest, [copy], [tmp_path / name for name in names])

    assert set(found) == {copy, tmp_path / "photos/clean", tmp_path / "lists/dirty"}


def test_beside_a_manifest_is_not_in_the_data_even_if_pictures_are(tmp_path: Path) -> None:
    assert in_data(tmp_path / "output.manifest", [], [tmp_path / "0.jpg"]) == []


def test_a_linked_folder_below_is_in_the_data(tmp_path: Path) -> None:
    for name in ("photos/clean", "archive"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "photos/clean/ahu3").symlink_to(tmp_path / "archive")

    with pytest.raises(NoPlace, match="lies in the data"):
        require_away(
            tmp_path / "archive/out", in_data(tmp_path / "photos", [], [tmp_path / "photos/clean/ahu3/0.jpg"]), "--out"
        )


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("loop", "Symlink loop from"),
        ("loop/below", "Symlink loop from"),
        (300 * "n", "File name too long"),
        ("n\0", "embedded null byte"),
    ],
    ids=["a link to itself", "below it", "a name too long", "no name"],
)
def test_what_leads_nowhere_is_no_place(tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(NoPlace, match=rf"{said}.*\. Choose another folder for --out"):
        require_place(tmp_path / place, "--out")
    with pytest.raises(NoPlace, match=rf"{said}.*\. Choose another folder for --answers"):
        require_file(tmp_path / place, "--answers", ours="ours")
    assert list(tmp_path.iterdir()) == [tmp_path / "loop"]


def test_links_in_the_data_that_lead_in_a_circle_are_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    away_from = in_data(tmp_path / "s.manifest", [tmp_path / "loop"], [tmp_path / "loop/0.jpg"])

    require_place(tmp_path / "out", "--out", away_from=away_from)


def test_a_file_of_the_same_kind_is_replaced_and_an_empty_one(tmp_path: Path) -> None:
    for name, text in (("ours", '{"schema": "ours/1"}'), ("empty", "")):
        (tmp_path / name).write_text(text)

        require_file(tmp_path / name, "--answers", ours='"ours/1"')


def test_a_file_of_another_kind_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")

    with pytest.raises(NoPlace, match=r"photo\.jpg: is something else, and is not replaced\. .* for --answers"):
        require_file(tmp_path / "photo.jpg", "--answers", ours='"ours/1"')


def test_what_is_no_file_is_not_even_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for whoever writes into it

    for place in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(NoPlace, match=f"{place}: is no file"):
            require_file(place, "--answers", ours="ours")


def files(folder: Path) -> Iterable[Path]:
    return sorted(folder.rglob("*"))
