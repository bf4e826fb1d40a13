"""`ductwatch model evaluate` says before any time is spent that it may not write somewhere, and writes nothing then."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.cli import parser
from firmware.model_tools import main
from model.shipped import shipped_bundle
from tests.model.training.data.asked import asked
from tests.model.training.data.photos import folder, listed

pytestmark = pytest.mark.real


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder(tmp_path / "photos", clean=1, dirty=1)


def evaluate(data: Path, *options: str | Path) -> int:
    bundle = str(shipped_bundle())
    return main(parser().parse_args(["model", "evaluate", bundle, "--data", str(data), *map(str, options)]))


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() if path.is_file() else b"" for path in root.rglob("*")}


@pytest.mark.parametrize(
    ("option", "place", "said"),
    [
        ("--answers", "photos/clean/0.jpg", "clean/0.jpg: lies in the data"),
        ("--answers", "photos/answers.jsonl", "answers.jsonl: lies in the data"),
        ("--report", "photos/clean/report", "clean/report/index.html: lies in the data"),
        ("--answers", "wipes.csv", "wipes.csv: is something else, and is not replaced"),
        ("--answers", ".", "is no file"),
        ("--report", "looked-through", "looked-through/index.html: is something else, and is not replaced"),
    ],
    ids=["a photo", "among photos", "below photos", "another file", "a folder", "another report"],
)
def test_a_place_of_something_else_is_refused_before_the_work(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, place: str, said: str
) -> None:
    (tmp_path / "wipes.csv").write_text("picture,g_m2\nclean/0.jpg,0.1\n")
    main(asked(photos, "--report", str(tmp_path / "looked-through")))
    before = contents(tmp_path)
    capsys.readouterr()

    assert evaluate(photos, option, tmp_path / place) == 2

    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert contents(tmp_path) == before


@pytest.mark.parametrize("option", ["--answers", "--report"])
def test_where_the_photos_of_a_manifest_lie_is_no_place_either(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    manifest = listed(tmp_path / "s.manifest", photos)
    before = contents(tmp_path)

    assert evaluate(manifest, option, photos / "clean/new") == 2

    assert f"lies in the data {photos / 'clean'}" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_its_own_files_are_replaced(photos: Path, tmp_path: Path) -> None:
    places = ("--answers", tmp_path / "new/answers.jsonl", "--report", tmp_path / "new/report")

    assert [evaluate(photos, *places), evaluate(photos, *places)] == [0, 0]
    assert sorted(path.name for path in (tmp_path / "new").rglob("*")) == ["answers.jsonl", "index.html", "report"]


@pytest.mark.parametrize("answers", ["new/index.html", "new", "new/index.html/answers.jsonl", "link/index.html"])
def test_answers_and_page_are_not_the_same_file(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: str
) -> None:
    (tmp_path / "link").symlink_to("new")
    before = contents(tmp_path)

    assert evaluate(photos, "--answers", tmp_path / answers, "--report", tmp_path / "new") == 2

    assert f"--report writes {tmp_path / 'new/index.html'}. Choose another file" in capsys.readouterr().err
    assert contents(tmp_path) == before
