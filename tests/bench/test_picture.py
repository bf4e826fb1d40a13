from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.picture import draw, draw_curves, footer
from bench.results import Curve, Curves
from tests.bench.builders import MACHINE, document, result

pytestmark = pytest.mark.real


def test_all_results_come_into_one_picture(tmp_path: Path) -> None:
    draw([document(result(name)) for name in ("cpu", "memory", "outbox")], tmp_path / "bench.png")

    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_without_results_there_is_no_picture(tmp_path: Path) -> None:
    draw([], tmp_path / "bench.png")

    assert not (tmp_path / "bench.png").exists()


def test_curves_come_into_a_picture_of_their_own(tmp_path: Path) -> None:
    grows = Curve(label="requests", unit="a second", points=((100.0, 3.0), (1_000.0, 30.0)))
    lies = Curve(label="memory", unit="MB", points=((100.0, 3.0),))
    curves = Curves(along="boards", curves=(grows, lies))

    draw_curves(document(replace(result("fleet"), curves=curves)), tmp_path / "fleet.png")

    assert (tmp_path / "fleet.png").read_bytes().startswith(b"\x89PNG")


def test_a_result_without_curves_has_no_picture_of_its_own(tmp_path: Path) -> None:
    draw_curves(document(result("memory")), tmp_path / "memory.png")

    assert not (tmp_path / "memory.png").exists()


def test_each_machine_is_named_once() -> None:
    pi = replace(MACHINE, processor="Raspberry Pi 4")

    shown = footer([document(), document(), document(machine=pi)])

    assert shown.count("Cortex-A72") == 1
    assert shown.count("Raspberry Pi 4") == 1
