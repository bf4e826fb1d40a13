"""A report is there whole, or not at all; what is somebody else's is left alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from model.errors import NoPlace
from model.training.data.report_folder import FINDINGS, PAGE, PICTURES, SCHEMA, ReportFailed, report_folder


def write(folder: Path, picture: str = "a.jpg") -> None:
    with report_folder(folder, away_from=[]) as new:
        (new / PICTURES / picture).write_bytes(b"a picture")
        (new / FINDINGS).write_text(f'{{"schema": "{SCHEMA}"}}')
        (new / PAGE).write_text(f"a page with {picture}")


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_report_is_there_with_its_pictures_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "new/report")

    assert files(tmp_path) == {"new/report/index.html", "new/report/findings.json", "new/report/pictures/a.jpg"}


def test_a_new_report_takes_the_place_of_the_old_but_not_of_what_was_put_beside(tmp_path: Path) -> None:
    write(tmp_path / "report")
    (tmp_path / "report/photos.decisions.json").write_text("{}")

    write(tmp_path / "report", "b.jpg")

    assert files(tmp_path / "report") == {"index.html", "findings.json", "pictures/b.jpg", "photos.decisions.json"}
    assert (tmp_path / "report" / PAGE).read_text() == "a page with b.jpg"


def test_a_run_that_fails_leaves_the_report_before(tmp_path: Path) -> None:
    write(tmp_path / "report")

    with suppress(KeyboardInterrupt), report_folder(tmp_path / "report", away_from=[]) as new:
        (new / PAGE).write_text("half a page")
        raise KeyboardInterrupt

    assert files(tmp_path) == {"report/index.html", "report/findings.json", "report/pictures/a.jpg"}
    assert (tmp_path / "report" / PAGE).read_text() == "a page with a.jpg"


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


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ReportFailed, match="cannot be written"):
        write(tmp_path / "file/report")
