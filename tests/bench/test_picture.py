from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.picture import draw, footer
from tests.bench.builders import MACHINE, document, result

pytestmark = pytest.mark.real


def test_all_results_come_into_one_picture(tmp_path: Path) -> None:
    draw([document(result(name)) for name in ("cpu", "memory", "outbox")], tmp_path / "bench.png")

    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_without_results_there_is_no_picture(tmp_path: Path) -> None:
    draw([], tmp_path / "bench.png")

    assert not (tmp_path / "bench.png").exists()


def test_each_machine_is_named_once() -> None:
    pi = replace(MACHINE, processor="Raspberry Pi 4")

    shown = footer([document(), document(), document(machine=pi)])

    assert shown.count("Cortex-A72") == 1
    assert shown.count("Raspberry Pi 4") == 1
