from __future__ import annotations

import platform
from pathlib import Path

import pytest

from firmware.update.board_facts import facts

pytestmark = pytest.mark.real


def test_a_board_goes_by_its_architecture_its_device_tree_and_the_name_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "compatible").write_bytes(b"raspberrypi,4-model-b\0brcm,bcm2711\0")

    found = facts(latency_budget_ms=150.0, named="ahu-cam-2", compatible=tmp_path / "compatible")

    assert found.hardware == {"any", platform.machine(), "raspberrypi,4-model-b", "brcm,bcm2711", "ahu-cam-2"}
    assert (found.runtime, found.runtime_version.split(".")[0]) == ("ai-edge-litert", "2")


def test_a_board_without_a_device_tree_goes_by_its_architecture(tmp_path: Path) -> None:
    found = facts(latency_budget_ms=150.0, named=None, compatible=tmp_path / "compatible")

    assert found.hardware == {"any", platform.machine()}
