"""`ductwatch model calibrate`, as it is asked for on the command line, on rendered ducts of known deposit."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from drivers.camera.jpeg import encode_jpeg
from firmware.cli import parser
from firmware.model_tools import main
from firmware.plan import load_classifier
from model.manifest import Manifest, parse_manifest
from model.photo import read_photo
from model.shipped import shipped_bundle
from model.training.data.samples import Sample
from model.training.degree_command import LEARNED
from model.training.learned_from import record_of
from model.training.render import Camera
from model.types import Label
from ota.bundle import open_bundle
from tests.model.pictures import flat
from tests.model.training.evaluation.data import SIZE, write

pytestmark = pytest.mark.real

DUCTS = 24
GRAMS = np.geomspace(0.05, 15, DUCTS)

Change = Callable[[list[str]], list[str]]


@pytest.fixture(scope="module")
def wipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of ducts, each with another deposit, and what was measured."""
    folder = tmp_path_factory.mktemp("wipes")
    rows = ["picture,g_m2,by"]
    for number, grams in enumerate(GRAMS):
        (folder / f"{number}.jpg").write_bytes(Camera(3_100_000 + number, SIZE).jpeg(float(grams)))
        rows.append(f"{number}.jpg,{grams:.3f},ductwatch")
    (folder / "wipes.csv").write_text("\n".join(rows) + "\n")
    return folder


def run(*arguments: str | Path, bundle: Path | None = None) -> int:
    return main(parser().parse_args(["model", "calibrate", str(bundle or shipped_bundle()), *map(str, arguments)]))


def manifest_of(bundle: Path) -> Manifest:
    return parse_manifest(open_bundle(bundle).manifest)


def with_rows(wipes: Path, folder: Path, change: Change) -> Path:
    """The same measurements, changed."""
    shutil.copytree(wipes, folder)
    rows = (folder / "wipes.csv").read_text().splitlines()
    (folder / "wipes.csv").write_text("\n".join(change(rows)) + "\n")
    return folder / "wipes.csv"


def refused(capsys: pytest.CaptureFixture[str], measurements: Path, out: Path) -> str:
    assert run("--measurements", measurements, "--out", out) == 2
    assert not out.exists()
    assert [path for path in out.parent.iterdir() if path.name.startswith(".ductwatch")] == []
    return capsys.readouterr().err


def test_a_calibrated_model_is_the_old_one_with_a_table_that_a_board_estimates_by(wipes: Path, tmp_path: Path) -> None:
    assert run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "new" / "bundle") == 0

    old, new = open_bundle(shipped_bundle()), open_bundle(tmp_path / "new/bundle")
    judgement = load_classifier(tmp_path / "new/bundle").judge(read_photo(wipes / f"{DUCTS - 1}.jpg", "upstream"))
    assert judgement.degree is not None
    assert judgement.degree.low_g_m2 < GRAMS[-1] <= judgement.degree.high_g_m2
    assert {name for name in old.files if old.files[name] != new.files[name]} == {"card.md"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["bundle"]


def test_it_is_another_version_and_a_later_release(wipes: Path, tmp_path: Path) -> None:
    old, first, second = manifest_of(shipped_bundle()), tmp_path / "first", tmp_path / "second"
    measured = ("--measurements", wipes / "wipes.csv")

    run(*measured, "--out", first)
    run(*measured, "--out", second, bundle=first)
    run(*measured, "--out", tmp_path / "named", "--version", "7", "--release-counter", "70")

    found = [(one.version, one.release_counter) for one in map(manifest_of, (first, second, tmp_path / "named"))]
    counter = old.release_counter
    assert found == [
        (f"{old.version}+cal{counter + 1}", counter + 1),
        (f"{old.version}+cal{counter + 2}", counter + 2),
        ("7", 70),
    ]


@pytest.mark.parametrize(("old", "asked"), [(7, 1), (7, 7), (2**31 - 1, None)], ids=["lower", "the same", "none above"])
def test_a_release_that_no_board_would_take_is_refused(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: int, asked: int | None
) -> None:
    shutil.copytree(shipped_bundle(), tmp_path / "old")
    manifest = tmp_path / "old/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"release_counter": old}))
    counter = [] if asked is None else ["--release-counter", str(asked)]

    out = tmp_path / "new"
    assert run("--measurements", wipes / "wipes.csv", "--out", out, *counter, bundle=tmp_path / "old") == 2

    assert f"ductwatch: {tmp_path / 'old'}: has the release counter {old}, and " in capsys.readouterr().err
    assert not out.exists()


def test_the_card_says_on_how_much_the_estimate_rests_and_how_far_it_is_off(wipes: Path, tmp_path: Path) -> None:
    run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "first", "--version", "7")
    run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "again", "--version", "8", bundle=tmp_path / "first")

    card = (tmp_path / "again/card.md").read_text()
    assert card.startswith(f"# {manifest_of(shipped_bundle()).name} 8\n")
    assert card.count("## Estimated deposit") == 1
    assert f"fitted on {DUCTS} pictures whose deposit was measured,\nof 0.05 to 15 g/m2" in card
    assert f"of {DUCTS} (" in card
    assert card.rstrip().endswith("Made by `ductwatch model calibrate`.")


def test_json_has_the_figures_and_the_table(wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "bundle", "--json") == 0

    document = json.loads(capsys.readouterr().out)
    figures = document["figures"]
    assert (document["schema"], document["bundle"]) == ("ductwatch.calibration/1", str(tmp_path / "bundle"))
    assert figures["measurements"] == DUCTS
    assert figures["spearman"] > 0.6  # rendered ducts are what it was trained on
    assert 0 < figures["relative_error"] < 2
    assert figures["coverage"] == figures["covered"] / DUCTS >= 0.75
    assert document["degree"] == json.loads((tmp_path / "bundle/manifest.json").read_text())["degree"]


def test_people_read_a_table(wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "bundle", "--version", "7")

    said = capsys.readouterr().out
    assert said.startswith(
        f"{manifest_of(shipped_bundle()).name} 7, fitted on {DUCTS} measurements of 0.05 to 15 g/m2\n"
    )
    assert "rank correlation" in said
    assert f"{DUCTS}  " in said
    assert said.endswith(f"The bundle is {tmp_path / 'bundle'}.\n")


def test_a_picture_that_a_board_would_not_judge_is_left_out_and_said_so(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measurements = with_rows(wipes, tmp_path / "wipes", lambda rows: [*rows, "night.jpg,1"])
    (tmp_path / "wipes/night.jpg").write_bytes(encode_jpeg(flat(*SIZE, (4, 4, 4))))

    assert run("--measurements", measurements, "--out", tmp_path / "bundle", "--json") == 0

    out, err = capsys.readouterr()
    (left_out,) = json.loads(out)["left_out"]
    assert (left_out["line"], left_out["picture"]) == (DUCTS + 2, str(tmp_path / "wipes/night.jpg"))
    assert "dark" in left_out["why"]
    assert f"left out: {measurements}:{DUCTS + 2}: {tmp_path / 'wipes/night.jpg'}: dark" in err
    assert json.loads(out)["figures"]["measurements"] == DUCTS


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda rows: rows[:10], "9 pictures of known deposit are too few"),
        (lambda rows: [rows[0], *(f"{n}.jpg,2" for n in range(DUCTS))], "all 24 deposits are 2 g/m2"),
        (lambda rows: [rows[0], *(f"{n}.jpg,{DUCTS - n}" for n in range(DUCTS))], "do not score higher"),
        (lambda rows: [*rows, "none.jpg,1"], rf"wipes.csv:{DUCTS + 2}: .*none\.jpg: No such file"),
        (lambda rows: [*rows, "wipes.csv,1"], rf"wipes.csv:{DUCTS + 2}: .*this is no image, not a JPEG"),
        (lambda rows: [*rows, "half.jpg,1"], rf"wipes.csv:{DUCTS + 2}: .*half\.jpg: this JPEG is damaged"),
        (lambda rows: [*rows, "0.jpg,-1"], rf"wipes.csv:{DUCTS + 2}: g_m2 is -1"),
    ],
    ids=["nine", "all alike", "the wrong way round", "missing", "no picture", "cut off", "negative"],
)
def test_what_nothing_can_be_fitted_to_is_one_line_and_writes_nothing(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Change, problem: str
) -> None:
    measurements = with_rows(wipes, tmp_path / "wipes", change)
    whole = (wipes / "0.jpg").read_bytes()
    (tmp_path / "wipes/half.jpg").write_bytes(whole[: len(whole) // 2])

    said = refused(capsys, measurements, tmp_path / "bundle")

    assert len(said.splitlines()) == 1
    assert re.match(f"ductwatch: .*{problem}", said)


def test_a_place_that_is_taken_is_left_as_it_is(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    assert run("--measurements", wipes / "wipes.csv", "--out", tmp_path) == 2
    assert run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "mine.txt" / "below") == 2

    first, second = capsys.readouterr().err.splitlines()
    assert "something is there already. Choose another folder for --out" in first
    assert second.endswith("Choose another folder for --out")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("place", ["loop", 300 * "n"], ids=["a link to itself", "a name too long"])
def test_a_place_that_there_cannot_be_is_named(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")

    assert run("--measurements", wipes / "wipes.csv", "--out", tmp_path / place) == 2

    said = capsys.readouterr().err
    assert said.startswith(f"ductwatch: {tmp_path / place}: ")
    assert said.endswith("Choose another folder for --out\n")


def test_a_bundle_is_not_put_among_the_pictures_but_may_lie_beside_their_table(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(wipes, tmp_path / "photos")
    rows = [f"photos/{row}" for row in (wipes / "wipes.csv").read_text().splitlines()[1:]]
    (tmp_path / "wipes.csv").write_text("\n".join(["picture,g_m2", *rows]))

    said = refused(capsys, tmp_path / "wipes.csv", tmp_path / "photos" / "calibrated")

    assert "photos/calibrated: lies in the data" in said
    assert run("--measurements", tmp_path / "wipes.csv", "--out", tmp_path / "calibrated") == 0


def taught(root: Path, *, learned: Sequence[Path]) -> Path:
    """The model that ships, as if it had learned from these pictures. What is in its bundle is not changed."""
    shutil.copytree(shipped_bundle(), root / "bundle")
    samples = [Sample(name=path.name, path=path, label=Label.DIRTY) for path in learned]
    network = (root / "bundle/model.tflite").read_bytes()
    (root / "learned-from.json").write_text(record_of(network, learned=samples, measured=[]))
    return root / "bundle"


def test_nothing_is_fitted_to_pictures_that_the_model_learned_from(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = taught(tmp_path / "trained", learned=[wipes / "3.jpg", wipes / "7.jpg"])
    measured = ("--measurements", wipes / "wipes.csv", "--json")

    assert run(*measured, "--out", tmp_path / "fresh", bundle=bundle) == 0
    assert run(*measured, "--out", tmp_path / "all", "--learned-too", bundle=bundle) == 0

    out, err = capsys.readouterr()
    fresh, both = map(json.loads, out.splitlines())
    assert [(one["line"], one["why"]) for one in fresh["left_out"]] == [(line, LEARNED) for line in (5, 9)]
    assert [one["figures"]["measurements"] for one in (fresh, both)] == [DUCTS - 2, DUCTS]
    assert err.count(f"left out: 2 of {DUCTS} pictures are ones that {bundle} has learned from\n") == 1


def test_where_it_learned_from_nearly_all_of_them_nothing_is_fitted(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = taught(tmp_path / "trained", learned=[wipes / f"{number}.jpg" for number in range(DUCTS - 9)])

    assert run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "new/bundle", bundle=bundle) == 2

    said = f"15 of {DUCTS} pictures are ones that {bundle} has learned from, and 9 are too few: it takes 10 others"
    assert f"{said}. Measure further spots; or add --learned-too" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_evaluate_knows_of_the_new_bundle_what_it_has_learned_from(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, label in ((0, "clean"), (1, "clean"), (DUCTS - 1, "dirty")):
        write(tmp_path / f"ducts/{label}/{number}.jpg", (wipes / f"{number}.jpg").read_bytes())
    bundle = taught(tmp_path / "trained", learned=[wipes / "0.jpg"])
    measured = ("--measurements", wipes / "wipes.csv")

    assert run(*measured, "--out", tmp_path / "new/first", bundle=bundle) == 0
    assert run(*measured, "--out", tmp_path / "new/again", bundle=tmp_path / "new/first") == 0

    capsys.readouterr()
    again = str(tmp_path / "new/again")
    assert main(parser().parse_args(["model", "evaluate", again, "--data", str(tmp_path / "ducts")])) == 0
    assert f"left out: 1 of 3 pictures are ones that {again} has learned from" in capsys.readouterr().err


def test_a_record_of_another_model_is_not_replaced(
    wipes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = taught(tmp_path / "trained", learned=[wipes / "0.jpg"])
    other = json.loads((tmp_path / "trained/learned-from.json").read_text()) | {"model_sha256": "0" * 64}
    record = write(tmp_path / "learned-from.json", json.dumps(other).encode())

    assert run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "new", bundle=bundle) == 2

    said = f"{record}: says what another model has learned from, and is not replaced. Choose a folder of its own"
    assert f"{said} for the bundle, such as --out {tmp_path / 'new/bundle'}" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert json.loads(record.read_text()) == other
    assert run("--measurements", wipes / "wipes.csv", "--out", tmp_path / "new/bundle", bundle=bundle) == 0


def test_a_board_needs_nothing_more_for_it() -> None:
    """Neither Pillow nor TensorFlow is imported."""
    code = "import sys, model.training.degree_command; print({'PIL', 'tensorflow', 'matplotlib'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
