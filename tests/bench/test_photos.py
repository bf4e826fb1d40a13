"""`python -m bench.photos`: rounds that can be stopped, and answers that are counted together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.folds import Rounds, cross_validation, prepare, write_round
from bench.photos import ANSWERS, DONE
from bench.recipe import recipe
from bench.results import load_all
from tests.model.training.data.photos import folder

pytestmark = pytest.mark.real

RIGHT, ALL_CLEAN = {"dirty": 0.9, "clean": 0.1}, {"dirty": 0.2, "clean": 0.1}  # scores of dirty and of clean photos


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.photos", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def done(out: Path, rounds: Rounds, number: int, scores: dict[str, float], *, in_float: float) -> None:
    """As if the round had been run, with these scores."""
    place = out / f"round-{number}"
    write_round(place / "photos", rounds, number - 1)
    answers: list[dict[str, object]] = [
        {
            "name": f"test/{truth}/{link.name}",
            "dirty": truth == "dirty",
            "score": score,
            "label": "DIRTY" if score > 0.5 else "CLEAN",
            "reasons": [],
        }
        for truth, score in scores.items()
        for link in (place / "photos/test" / truth).iterdir()
    ]
    (place / ANSWERS).write_text("\n".join(map(json.dumps, answers)))
    (place / DONE).write_text(
        json.dumps({"figures": {"threshold": 0.5}, "float_accuracy": in_float, "trained_s": 61.5})
    )


def data(root: Path, of_each: int = 4) -> Path:
    return folder(root / "ducts", clean=of_each, dirty=of_each)


def test_rounds_that_are_done_are_not_run_again_and_their_answers_are_counted_together(tmp_path: Path) -> None:
    out = tmp_path / "out"
    rounds = cross_validation(data(tmp_path, of_each=20), 2)
    prepare(out, rounds, recipe())
    done(out, rounds, 1, RIGHT, in_float=0.95)
    done(out, rounds, 2, ALL_CLEAN, in_float=0.55)

    told = bench("--data", tmp_path / "ducts", "--folds", "2", "--out", out)

    (document,) = load_all(out)
    rows = {row.label: row.values for row in document.result.rows}
    assert (told.returncode, document.result.name) == (0, "photos-ducts")
    assert rows["round 1"][1:4] == (1.0, None, None)
    assert rows["round 2"][1:4] == (0.5, 0.3, 0.7)
    together = rows["all answers together"]
    assert together[:4] == (40, 0.75, 0.6, 0.875)  # 40 groups of one
    assert (together[4], together[5], together[6]) == (0.75, 0.75, 0.5)
    assert document.result.details["recipe"] == list(recipe())
    assert document.result.details["grouped"]["recall_dirty"]["value"] == 0.5
    assert "photos-ducts" in told.stderr
    assert "0.750" in told.stdout


def test_a_round_that_failed_is_not_done(tmp_path: Path) -> None:
    """Four photos of each class are no training."""
    failed = bench("--data", data(tmp_path), "--folds", "2", "--only", "2", "--out", tmp_path / "out")

    assert failed.returncode == 2
    assert "ductwatch: " in failed.stderr
    assert not (tmp_path / "out" / "round-2" / DONE).exists()
    assert not (tmp_path / "out" / "round-1").exists()


def test_a_round_that_there_is_not_is_refused(tmp_path: Path) -> None:
    refused = bench("--data", data(tmp_path), "--only", "6")

    assert refused.returncode == 2
    assert "--only 6: there are rounds 1 to 5" in refused.stderr


def test_data_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    refused = bench("--elpv", tmp_path)

    assert refused.returncode == 2
    assert refused.stderr == f"bench.photos: {tmp_path / 'labels.csv'}: No such file or directory\n"
