from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.errors import NoPlace
from model.shipped import shipped_bundle
from model.training.candidates import main, markdown, milliseconds, rows_before
from model.training.train import SHIPPED

pytestmark = pytest.mark.real


def row(network: str, accuracy: float, invoke_ms: float) -> dict[str, Any]:
    shares = dict.fromkeys(("float_accuracy", "recall_dirty", "calibration_error", "spearman"), 0.5)
    return {
        "network": network,
        "side": 160,
        **shares,
        "accuracy": accuracy,
        "size_bytes": 1_200_000,
        "invoke_ms": invoke_ms,
    }


def test_the_best_network_comes_first() -> None:
    lines = markdown({"a": row("slow", 0.99, 2.0), "b": row("slower", 0.995, 4.0)}, shipped_ms=1.0).splitlines()

    assert lines[2].startswith("| slower | 160 | 0.500 | 0.995 |")
    assert lines[3].startswith("| slow | ")


@pytest.mark.parametrize("slowness", [1.0, 2.5])
def test_the_estimate_for_a_board_is_the_same_from_a_slower_machine(slowness: float) -> None:
    """Where MobileNetV2 1.0 took 3.15 ms, which are at most 68 on the board, what ships took 0.79."""
    mobilenet = markdown({"a": row("MobileNetV2 1.0", 0.9, 3.15 * slowness)}, shipped_ms=0.79 * slowness)

    assert mobilenet.splitlines()[2].endswith(f"| 1200 | {3.15 * slowness:.2f} | up to 68 |")
    assert f"the model that ships takes {0.79 * slowness:.2f}." in mobilenet
    assert "takes it up to 17 by an estimate" in mobilenet


def test_the_estimate_is_of_the_network_that_ships() -> None:
    assert SHIPPED == "cut-160-long", "another network ships: take anew what PI4_SHIPPED_MS begins from"


def test_each_network_has_its_time() -> None:
    took_ms = milliseconds([shipped_bundle(), shipped_bundle()])

    assert len(took_ms) == 2
    assert min(took_ms) > 0


def test_all_rows_have_as_many_cells() -> None:
    table, _, _ = markdown({"a": row("one", 0.9, 1.0)}, shipped_ms=1.0).partition("\n\n")

    assert len({line.count("|") for line in table.splitlines()}) == 1


def test_a_network_that_there_is_not_is_said_before_anything_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path / "out"), "--drawn", str(tmp_path / "drawn"), "--only", "cut-160", "cut-161"])

    assert "'cut-161' (choose from" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_rows_of_the_same_settings_go_on(tmp_path: Path) -> None:
    rows = {"cut-160": row("cut", 0.99, 1.0)}
    table = tmp_path / "candidates.json"
    table.write_text(json.dumps({"settings": {"seed": 0, "scenes": 600}, "rows": rows}))

    assert rows_before(table, {"seed": 0, "scenes": 600}) == rows
    assert rows_before(tmp_path / "none.json", {"seed": 0, "scenes": 600}) == {}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"settings": {"seed": 7, "scenes": 60, "measured": 12}, "rows": {}}, r"\(seed 7, scenes 60, measured 12\)"),
        (
            {"settings": {"seed": 0, "scenes": 600, "measured": 120, "code": "of before"}, "rows": {}},
            r"\(seed 0, scenes 600, measured 120, code of before\)",
        ),
        ({"cut-160": row("cut", 0.99, 1.0)}, r"\(which were not noted then\)"),
    ],
    ids=["another seed", "other code", "an earlier version"],
)
def test_rows_of_other_settings_come_into_no_table_with_these(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], document: dict[str, Any], said: str
) -> None:
    (tmp_path / "candidates.json").write_text(json.dumps(document))

    assert main(["--out", str(tmp_path), "--drawn", str(tmp_path / "drawn")]) == 2

    with pytest.raises(NoPlace, match=f"candidates.json: has rows of other settings {said}. Choose another folder"):
        rows_before(tmp_path / "candidates.json", {"seed": 0, "scenes": 600, "measured": 120, "code": "of now"})
    assert [path.name for path in tmp_path.iterdir()] == ["candidates.json"]
    assert "model.training.candidates: " in capsys.readouterr().err
