from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from firmware.cli import parser
from firmware.model_tools import main
from model.errors import NoPlace
from model.training.data.samples import read_samples
from model.training.measurements import BETWEEN
from model.training.rendered_set import CLEAN, DEGREES, DIRTY, DRAWN, RenderedSet, render_set
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2

pytestmark = pytest.mark.real
SCENES = (2_000_001, 2_000_002)


@pytest.fixture(scope="module")
def ducts(tmp_path_factory: pytest.TempPathFactory) -> RenderedSet:
    return render_set(tmp_path_factory.mktemp("ducts"), SCENES)


def copied(ducts: RenderedSet, folder: Path) -> Path:
    return Path(shutil.copytree(ducts.folder, folder))


def rows(folder: Path) -> dict[str, float]:
    with (folder / DEGREES).open(newline="") as file:
        return {row["picture"]: float(row["g_m2"]) for row in csv.DictReader(file)}


def test_a_rendered_set_can_be_used_as_photos_are(ducts: RenderedSet) -> None:
    samples = read_samples(ducts.folder)

    assert [sample.label.value.lower() for sample in samples] == [sample.name.split("/")[0] for sample in samples]
    assert len(samples) == 4 * len(SCENES)


def test_each_picture_lies_where_its_degree_says(ducts: RenderedSet) -> None:
    kinds = {one.kind: [each.g_m2 for each in ducts.pictures if each.kind == one.kind] for one in ducts.pictures}

    assert max(kinds[CLEAN]) <= CLEAN_G_M2 <= min(kinds[BETWEEN])
    assert max(kinds[BETWEEN]) <= DIRTY_G_M2 <= min(kinds[DIRTY])


def test_the_degrees_are_written_beside_the_pictures(ducts: RenderedSet) -> None:
    found = rows(ducts.folder)

    assert found == {one.name: one.g_m2 for one in ducts.pictures}
    assert all((ducts.folder / name).is_file() for name in found)


def test_the_same_scenes_give_the_same_pictures(ducts: RenderedSet, tmp_path: Path) -> None:
    again = render_set(tmp_path, SCENES[:1])

    assert np.array_equal(again.decoded(160), ducts.decoded(160)[: len(again.pictures)])


def test_what_was_drawn_before_keeps_its_rows(ducts: RenderedSet, tmp_path: Path) -> None:
    folder = copied(ducts, tmp_path / "ducts")

    again = render_set(folder, SCENES[1:])

    assert len(again.pictures) == 5
    assert rows(folder) == rows(ducts.folder)


def test_a_picture_that_is_gone_has_no_row(ducts: RenderedSet, tmp_path: Path) -> None:
    folder = copied(ducts, tmp_path / "ducts")
    gone = ducts.pictures[0].name
    (folder / gone).unlink()

    render_set(folder, SCENES[1:])

    assert rows(ducts.folder).keys() - rows(folder).keys() == {gone}


def test_ducts_are_not_put_among_photos_of_real_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean/mine.jpg").touch()
    (tmp_path / DEGREES).write_text("mine")

    assert main(parser().parse_args(["model", "render", str(tmp_path), "--ducts", "1"])) == 2

    assert "holds other things than drawn ducts" in capsys.readouterr().err
    assert {path.name for path in tmp_path.rglob("*")} == {"clean", "mine.jpg", DEGREES}
    assert (tmp_path / DEGREES).read_text() == "mine"


def test_ducts_of_another_renderer_are_not_mixed_with_those_of_this_one(ducts: RenderedSet, tmp_path: Path) -> None:
    folder = copied(ducts, tmp_path / "ducts")
    marker = json.loads((folder / DRAWN).read_text())
    (folder / DRAWN).write_text(json.dumps(marker | {"renderer": "older"}))

    with pytest.raises(NoPlace, match="another version of the renderer drew the ducts"):
        render_set(folder, SCENES)


@pytest.mark.parametrize("scenes", [{}, {"scenes": None}, {"scenes": 3}, {"scenes": ["3"]}])
def test_a_marker_that_does_not_say_what_is_there_is_said(
    ducts: RenderedSet, tmp_path: Path, scenes: dict[str, object]
) -> None:
    folder = copied(ducts, tmp_path / "ducts")
    marker = json.loads((folder / DRAWN).read_text())
    del marker["scenes"]
    (folder / DRAWN).write_text(json.dumps(marker | scenes))

    with pytest.raises(NoPlace, match=f"{DRAWN}: does not say which ducts are there"):
        render_set(folder, SCENES)


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")

    status = main(parser().parse_args(["model", "render", str(tmp_path / "file" / "ducts"), "--ducts", "1"]))

    said = capsys.readouterr().err
    assert status == 2
    assert "Choose another folder" in said
    assert "Traceback" not in said
