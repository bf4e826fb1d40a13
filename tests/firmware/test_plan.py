from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drivers.types import Quantity, SourceId
from firmware import config
from firmware.alarms.types import AlarmId
from firmware.equipment import equipment
from firmware.errors import ConfigError
from firmware.plan import load_classifier, load_rules, prepare
from firmware.run import SIMULATED_BOARD
from model.shipped import shipped_bundle

pytestmark = pytest.mark.real


def test_the_shipped_board_rules_and_model_make_a_plan() -> None:
    plan = prepare(config.load(SIMULATED_BOARD))

    assert "dirty_duct" in {rule.name for rule in plan.rules}
    assert plan.classifier.model.name == "bootstrap"


def test_a_model_of_which_a_byte_was_changed_is_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(shipped_bundle(), bundle)
    model = bundle / "model.tflite"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)

    with pytest.raises(ConfigError, match=r"model\.tflite"):
        load_classifier(bundle)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "not UTF-8"),
        (b"#" * (1 << 20) + b"#", "larger than"),
        (b"[[rule]]\n", "is missing"),
        (None, "cannot be read"),
    ],
    ids=["binary", "huge", "incomplete", "missing"],
)
def test_rules_that_cannot_be_used_are_refused_with_the_file(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "rules.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=problem) as caught:
        load_rules(path)

    assert str(path) in str(caught.value)


def test_the_equipment_names_each_quantity_and_each_alarm_that_can_come() -> None:
    has = equipment(prepare(config.load(SIMULATED_BOARD)))

    assert has.cameras == ("upstream", "downstream")
    assert Quantity.PM2_5 in has.sensors[SourceId("duct-pm")]
    assert AlarmId("dirty_duct", SourceId("upstream")) in has.alarms
    assert AlarmId("dirty_duct", SourceId("duct-pm")) not in has.alarms
    assert AlarmId("pm2_5_high", SourceId("duct-pm")) in has.alarms
    assert AlarmId("device_dead", SourceId("fan")) in has.alarms
