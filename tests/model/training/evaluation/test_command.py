"""`ductwatch model evaluate`, as it is asked for on the command line."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from drivers.camera.jpeg import encode_jpeg
from firmware.cli import parser
from firmware.errors import ConfigError
from firmware.model_tools import main
from model.shipped import shipped_bundle
from model.training.data.asked import found_by
from model.training.data.decisions import Choice, Decision, write_decisions
from model.training.evaluation.command import samples_of
from model.training.evaluation.corrupt import CORRUPTIONS
from model.training.render import Camera
from model.types import Label
from tests.model.pictures import copy_of, flat, shipped
from tests.model.training.evaluation.data import DIRTY_G_M2, SIZE, ducts, write

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six ducts clean and dirty, one photo too dark to judge, and one that is none."""
    root = ducts(tmp_path_factory.mktemp("photos"), scenes=6)
    write(root / "clean/night.jpg", encode_jpeg(flat(*SIZE, (4, 4, 4))))
    write(root / "dirty/<b>broken.jpg", b"no picture")
    return root


def parsed(*arguments: str | Path) -> Namespace:
    return parser().parse_args(["model", *map(str, arguments)])


def run(*arguments: str | Path) -> int:
    return main(parsed(*arguments))


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert run("evaluate", shipped_bundle(), "--json", *arguments) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_what_a_person_decided_beside_the_data_counts(photos: Path, tmp_path: Path) -> None:
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    night = data / "clean/night.jpg"
    clean = min(path for path in night.parent.iterdir() if path != night)
    decisions = [
        Decision(name=f"clean/{path.name}", sha256=hashlib.sha256(path.read_bytes()).hexdigest(), choice=choice)
        for path, choice in ((night, Choice.EXCLUDE), (clean, Choice.DIRTY))
    ]
    write_decisions(tmp_path / "photos.decisions.json", {one.name: one for one in decisions})

    arguments = parsed("evaluate", shipped_bundle(), "--data", data)
    samples = {sample.name: sample for sample in samples_of(found_by(arguments), arguments, {})}

    assert "clean/night.jpg" not in samples
    assert samples[f"clean/{clean.name}"].label is Label.DIRTY


def test_the_answers_to_each_picture_are_written_line_by_line(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = evaluated(capsys, "--data", photos, "--answers", tmp_path / "new" / "answers.jsonl")

    lines = [json.loads(line) for line in (tmp_path / "new" / "answers.jsonl").read_text().splitlines()]
    assert len(lines) == document["figures"]["pictures"]
    (broken,) = (line for line in lines if line["score"] is None)
    assert broken == {
        "name": "dirty/<b>broken.jpg",
        "dirty": True,
        "score": None,
        "label": "CANNOT_TELL",
        "reasons": ["unreadable"],
    }
    threshold = document["figures"]["threshold"]
    right = sum((line["score"] > threshold) is line["dirty"] for line in lines if line["score"] is not None)
    assert right / len(lines) == document["figures"]["accuracy"]["value"]


def test_scores_are_held_against_deposits_where_these_are_known(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "degrees.csv"
    known = [*sorted((photos / "clean").glob("duct*")), *sorted((photos / "dirty").glob("duct*"))]
    rows = [f"{path},{0.1 + number}" for number, path in enumerate(known)]
    table.write_text("\n".join(["picture,g_m2", *rows]))

    assert evaluated(capsys, "--data", photos)["figures"]["spearman"] is None
    assert evaluated(capsys, "--data", photos, "--degrees", table)["figures"]["spearman"] > 0.5


def test_pictures_that_nobody_would_label_count_for_the_rank_alone(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    dirty = write(data / "between/spot.jpg", next((photos / "dirty").glob("duct*")).read_bytes())
    clean = next((data / "clean").glob("duct*"))
    table = tmp_path / "degrees.csv"
    table.write_text(f"picture,g_m2\n{dirty},2.0\n{clean},0.1\n")

    figures = evaluated(capsys, "--data", data, "--degrees", table)["figures"]

    assert (figures["pictures"], figures["spearman"]) == (14, 1.0)


def test_deposits_of_other_pictures_are_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "degrees.csv"
    table.write_text("picture,g_m2\nelsewhere.jpg,1.0\n")

    assert run("evaluate", shipped_bundle(), "--data", photos, "--degrees", table) == 2
    assert "has a row for none of the pictures" in capsys.readouterr().err


def test_a_table_tells_the_figures_and_where_there_are_none_why(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos / "clean", tmp_path / "clean")

    assert run("evaluate", shipped_bundle(), "--data", tmp_path) == 0

    table = capsys.readouterr().out
    assert "on 7 pictures (7 clean, 0 dirty)" in table
    assert re.search(r"accuracy +[01]\.\d{3}  [01]\.\d{3} to [01]\.\d{3} \(95 %, of 7\)", table)
    assert re.search(r"AUC +-  needs clean and dirty pictures", table)
    assert "nan" not in table


def test_json_has_each_figure_and_names_what_could_not_be_read(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = evaluated(capsys, "--data", photos)

    figures = document["figures"]
    assert (document["schema"], document["model"]["name"]) == ("ductwatch.evaluation/1", "visual-clean")
    assert (figures["pictures"], figures["clean"], figures["dirty"]) == (14, 7, 7)
    assert figures["unreadable"] == ["dirty/<b>broken.jpg"]
    assert figures["reasons"]["dark"] == 1
    assert 0 < figures["calibration_error_by_chance"] < 0.2
    assert figures["auc"] > 0.8  # rendered ducts are what it was trained on
    assert 0 < figures["latency"]["p50_ms"] <= figures["latency"]["p99_ms"]
    assert sum(sum(said.values()) for said in figures["confusion"].values()) == 14
    assert document["corruptions"] is None


def test_a_manifest_of_ground_truth_is_measured_as_a_folder_is(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = {"class-name": "Dusty", "type": "groundtruth/image-classification", "confidence": 1}
    line = {"source-ref": "s3://ducts/dirty/duct-0.jpg", "duct": 1, "duct-metadata": metadata}
    manifest = write(tmp_path / "output.manifest", json.dumps(line).encode())

    document = evaluated(capsys, "--data", manifest, "--map", f"s3://ducts={photos}", "--class", "dusty=dirty")

    assert (document["figures"]["dirty"], document["figures"]["unreadable"]) == (1, [])


def test_corruptions_are_measured_and_shown_with_all_else_on_one_page(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = evaluated(capsys, "--data", photos, "--corruptions", "--report", tmp_path / "new" / "report")

    corruptions = document["corruptions"]
    assert corruptions["pictures"] == 13
    assert list(corruptions["cells"]) == [corruption.name for corruption in CORRUPTIONS]
    assert all(len(cells) == 5 for cells in corruptions["cells"].values())
    cells = [cell for five in corruptions["cells"].values() for cell in five]
    told = [cell["accuracy_told"] for cell in cells if cell["accuracy_told"]]
    right = sum(share["value"] * share["of"] for share in told)
    assert corruptions["mean_accuracy_told"] == pytest.approx(right / sum(share["of"] for share in told))
    assert corruptions["mean_coverage"] == pytest.approx(sum(share["of"] for share in told) / (13 * 45))
    assert corruptions["mean_accuracy"] == pytest.approx(sum(cell["accuracy"]["value"] for cell in cells) / 45)
    page = (tmp_path / "new" / "report" / "index.html").read_text()
    assert page.count("<svg") == 5
    assert "&lt;b&gt;broken.jpg" in page
    assert "<b>broken" not in page
    assert not re.search(r'(src|href)="(?!data:|#)', page), "the page opens without a network"


def test_whoever_has_split_is_told_that_only_the_test_part_counts(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos, tmp_path / "train")
    shutil.copytree(photos / "clean", tmp_path / "test" / "clean")

    assert run("evaluate", shipped_bundle(), "--data", tmp_path) == 0

    out, err = capsys.readouterr()
    assert "on 7 pictures (7 clean, 0 dirty)" in out
    assert "measuring on test/ alone: 7 of 21 pictures" in err


def test_a_page_of_one_class_says_what_it_can(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos / "clean", tmp_path / "data" / "clean")

    assert run("evaluate", shipped_bundle(), "--data", tmp_path / "data", "--report", tmp_path) == 0

    page = (tmp_path / "index.html").read_text()
    assert "needs clean and dirty pictures" in page
    assert "Precision and recall" not in page
    assert "Calibration error: 2 bins of equal numbers." in page


def test_a_report_that_cannot_be_written_is_said_before_the_work(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    occupied = write(tmp_path / "file", b"")

    assert run("evaluate", shipped_bundle(), "--data", photos, "--report", occupied) == 2

    assert re.fullmatch(r"ductwatch: .*file: .* --report\n", capsys.readouterr().err)


def test_data_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", shipped_bundle(), "--data", tmp_path / "none") == 2

    assert "there is no such folder" in capsys.readouterr().err


def test_a_bundle_that_no_board_would_run_is_not_measured(photos: Path, tmp_path: Path) -> None:
    bundle = copy_of(shipped()[0], tmp_path / "bundle")
    (bundle / "model.tflite").write_bytes(b"another")

    with pytest.raises(ConfigError, match=r"model\.tflite is not the file"):
        run("evaluate", bundle, "--data", photos)


def test_a_link_that_leads_in_a_circle_is_a_picture_that_cannot_be_read(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    (data / "dirty/circle.jpg").symlink_to("circle.jpg")
    known = next((data / "clean").glob("duct*"))
    (tmp_path / "degrees.csv").write_text(f"picture,g_m2\n{known},0.1\nphotos/dirty/circle.jpg,9\n")

    without = evaluated(capsys, "--data", data)["figures"]
    assert without["unreadable"] == ["dirty/<b>broken.jpg", "dirty/circle.jpg"]
    assert evaluated(capsys, "--data", data, "--degrees", tmp_path / "degrees.csv")["figures"]["pictures"] == 15
    assert run("compare", shipped_bundle(), shipped_bundle(), "--data", data) == 0


def test_where_not_one_picture_can_be_read_there_is_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = {"class-name": "dirty", "type": "groundtruth/image-classification", "confidence": 1}
    lines = [{"source-ref": f"s3://ducts/{n}.jpg", "duct": 1, "duct-metadata": metadata} for n in range(2)]
    data = write(tmp_path / "output.manifest", "\n".join(map(json.dumps, lines)).encode())
    places = ("--data", data, "--map", f"s3://ducts={tmp_path / 'nowhere'}")

    assert run("evaluate", shipped_bundle(), *places, "--report", tmp_path / "report") == 2
    assert run("compare", shipped_bundle(), shipped_bundle(), *places) == 2

    out, err = capsys.readouterr()
    said = f"none of the 2 pictures can be read. The first would be {tmp_path / 'nowhere/0.jpg'}. Check --data, and"
    assert (out, err.count(said), (tmp_path / "report").exists()) == ("", 2, False)


def test_dirt_that_cannot_be_read_is_not_said_to_be_missing(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos / "clean", tmp_path / "clean")
    write(tmp_path / "dirty/broken.jpg", b"no picture")

    assert run("evaluate", shipped_bundle(), "--data", tmp_path) == 0

    table = capsys.readouterr().out
    assert re.search(r"average precision +-  no dirty picture can be read\n", table)
    assert re.search(r"AUC +-  needs clean and dirty pictures that can be read\n", table)


def test_a_series_of_one_duct_makes_intervals_too_narrow_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jpeg = Camera(3_000_000, SIZE).jpeg(DIRTY_G_M2)
    for number in range(8):
        write(tmp_path / f"data/dirty/series-{number}.jpg", jpeg)
    places = ("--data", tmp_path / "data")

    assert evaluated(capsys, *places)["groups"] == 1
    assert run("evaluate", shipped_bundle(), *places, "--report", tmp_path / "report") == 0

    said = "8 pictures look like one thing: if they are, the intervals are too narrow"
    assert f"  {said}\n" in capsys.readouterr().out
    assert f"<p>{said}.</p>" in (tmp_path / "report/index.html").read_text()


def test_ducts_that_are_unlike_count_each(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluated(capsys, "--data", photos)["groups"] >= 12
    assert run("evaluate", shipped_bundle(), "--data", photos) == 0
    assert "different things" not in capsys.readouterr().out
