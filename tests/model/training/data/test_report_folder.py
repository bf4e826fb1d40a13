"""A report is there whole, or not at all; what is somebody else's is left alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from model.errors import NoPlace
from model.training.data.report_folder import FINDINGS, PAGE, PICTURES, SCHEMA, ReportFailed, report_folder

FIRST, SECOND = f"{0:032x}.jpg", f"{1:032x}.jpg"  # as thumbnails are called


def write(folder: Path, picture: str = FIRST) -> None:
    with report_folder(folder, away_from=[]) as new:
        (new / PICTURES / picture).write_bytes(b"a picture")
        (new / FINDINGS).write_text(f'{{"schema": "{SCHEMA}"}}')
        (new / PAGE).write_text(f"a page with {picture}")


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_report_is_there_with_its_pictures_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "new/report")

    assert files(tmp_path) == {"new/report/index.html", "new/report/findings.json", f"new/report/pictures/{FIRST}"}


def test_a_new_report_takes_the_place_of_the_old_but_not_of_what_was_put_beside(tmp_path: Path) -> None:
    write(tmp_path / "report")
    for name in ("photos.decisions.json", "pictures/mine.jpg"):
        (tmp_path / "report" / name).write_text("{}")

    write(tmp_path / "report", SECOND)

    mine = {"photos.decisions.json", "pictures/mine.jpg"}
    assert files(tmp_path / "report") == mine | {"index.html", "findings.json", f"pictures/{SECOND}"}
    assert (tmp_path / "report" / PAGE).read_text() == f"a page with {SECOND}"


def test_a_run_that_fails_leaves_the_report_before(tmp_path: Path) -> None:
    write(tmp_path / "report")

    with suppress(KeyboardInterrupt), report_folder(tmp_path / "report", away_from=[]) as new:
        (new / PAGE).write_text("half a page")
        raise KeyboardInterrupt

    assert files(tmp_path) == {"report/index.html", "report/findings.json", f"report/pictures/{FIRST}"}
    assert (tmp_path / "report" / PAGE).read_text() == f"a page with {FIRST}"


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(ReportFailed, match="holds other things"):
        write(tmp_path)
    assert files(tmp_path) == {"thesis.txt"}


@pytest.mark.parametrize("place", ["photos", "photos/report", "other/../photos/report"])
def test_a_report_is_never_written_into_the_data(tmp_path: Path, place: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "other").mkdir()

    with (
        pytest.raises(NoPlace, match="lies in the data"),
        report_folder(tmp_path / place, away_from=[tmp_path / "photos"]),
    ):
        pass
    assert files(tmp_path) == set()


def test_a_folder_beside_it_is_left_alone_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / ".report.new").mkdir()
    (tmp_path / ".report.new/thesis.txt").touch()

    write(tmp_path / "report")

    assert files(tmp_path / ".report.new") == {"thesis.txt"}


@pytest.mark.parametrize(
    ("place", "said"),
    [("file/report", "Not a directory"), ("loop", "Symlink loop"), (300 * "n", "File name too long")],
    ids=["below a file", "a link to itself", "a name too long"],
)
def test_a_place_that_cannot_be_written_is_named_before_the_work(tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")

    with (
        pytest.raises(NoPlace, match=f"{said}.* Choose another folder for --report"),
        report_folder(tmp_path / place, away_from=[]),
    ):
        pytest.fail("it began")
    assert files(tmp_path) == {"file"}
