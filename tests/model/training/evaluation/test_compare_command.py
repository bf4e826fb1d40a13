"""`ductwatch model compare`, as it is asked for on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware.cli import parser
from firmware.model_tools import main
from model.shipped import shipped_bundle
from model.training.render import Camera
from tests.model.pictures import copy_of, shipped
from tests.model.training.evaluation.data import DIRTY_G_M2, SIZE, ducts, write

pytestmark = pytest.mark.real


def compare(*arguments: str | Path) -> int:
    return main(parser().parse_args(["model", "compare", *map(str, arguments)]))


def blunted(folder: Path, *, threshold: float = 1.0) -> Path:
    """The shipped bundle with thresholds that call all clean."""
    bundle, _ = shipped()
    copy_of(bundle, folder)
    manifest = json.loads(bundle.manifest)
    manifest["thresholds"] = {"clean_below": threshold, "dirty_above": threshold}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def dirty(folder: Path, count: int, *, of_ducts: int = 1) -> Path:
    """So many pictures of dirty ducts, by turns."""
    for number in range(count):
        write(folder / f"dirty/{number}.jpg", Camera(3_000_000 + number % of_ducts, SIZE).jpeg(DIRTY_G_M2))
    return folder


def test_a_worse_model_is_told_by_the_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, blunt = shipped_bundle(), blunted(tmp_path / "blunt")
    data = ducts(tmp_path / "data", scenes=12)

    assert compare(good, blunt, "--data", data, "--json") == 1
    assert compare(blunt, good, "--data", data) == 0

    worse, _, better = capsys.readouterr().out.partition("\n")
    found = json.loads(worse)["comparison"]
    assert (found["outcome"], found["only_b_right"]) == ("worse", 0)
    assert found["p_value"] < 0.05
    assert f"B is better than A, as far as these {found['pictures']} pictures show." in better


def test_a_model_is_not_better_than_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ducts(tmp_path / "data", scenes=6)
    write(data / "dirty/broken.jpg", b"no picture")

    assert compare(shipped_bundle(), shipped_bundle(), "--data", data, "--each-counts") == 0

    said = capsys.readouterr().out
    assert "cannot be told with 13 pictures: they answer alike on all of them." in said
    assert "A on 0 pictures, B on 0; p = 1 (McNemar" in said


def test_a_series_of_one_duct_is_one_piece_of_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = dirty(tmp_path / "data", 8)
    write(data / "dirty/broken.jpg", b"no picture")

    assert compare(shipped_bundle(), blunted(tmp_path / "blunt"), "--data", data) == 0

    said = capsys.readouterr().out
    assert "twins together in 2 groups" in said
    assert "cannot be told with 9 pictures: too many of them are twins." in said


def test_each_day_of_a_fixed_camera_counts_if_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = (shipped_bundle(), blunted(tmp_path / "blunt"))

    assert compare(*models, "--data", dirty(tmp_path / "data", 8), "--each-counts") == 1

    said = capsys.readouterr().out
    assert "8 pictures (0 clean, 8 dirty)\n" in said
    assert "B is worse than A, as far as these 8 pictures show." in said


@pytest.mark.parametrize(
    ("ducts_shown", "like_these"), [(5, "like these"), (1, "like these, but no twins,")], ids=["five ducts", "one duct"]
)
def test_too_few_pictures_say_how_many_it_would_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ducts_shown: int, like_these: str
) -> None:
    """Five in five for A are no proof: 2 / 2**5 is 0.06."""
    data = dirty(tmp_path / "data", 5, of_ducts=ducts_shown)

    assert compare(shipped_bundle(), blunted(tmp_path / "blunt"), "--data", data) == 0

    said = capsys.readouterr().out
    assert f"If -1.000 is the true difference, about 6 pictures {like_these} would show it" in said
