from __future__ import annotations

from typing import Any

from model.training.candidates import PI4_TIMES, markdown


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


def test_the_best_network_comes_first_with_an_estimate_for_a_board() -> None:
    lines = markdown({"a": row("slow", 0.99, 2.0), "b": row("slower", 0.995, 4.0)}).splitlines()

    assert lines[2].startswith("| slower | 160 | 0.500 | 0.995 |")
    assert lines[3].startswith("| slow | ")
    assert lines[3].endswith(f"| 1200 | 2.00 | up to {2 * PI4_TIMES:.0f} |")


def test_all_rows_have_as_many_cells() -> None:
    lines = markdown({"a": row("one", 0.9, 1.0)}).splitlines()

    assert len({line.count("|") for line in lines}) == 1
