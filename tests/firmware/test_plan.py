from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from drivers.types import Quantity, SourceId
from firmware import config
from firmware.alarms.types import AlarmId
from firmware.equipment import equipment, unclear
from firmware.errors import ConfigError
from firmware.plan import Plan, load_classifier, load_rules, prepare, unanswered
from firmware.run import SIMULATED_BOARD
from model.classifier import Classifier
from model.manifest import DegreePoint
from model.shipped import shipped_bundle
from tests.firmware.rules.builders import RULE_ON_DEPOSITS
from tests.model.pictures import shipped
from tests.model.tables import TABLE

pytestmark = pytest.mark.real


def test_the_shipped_board_rules_and_model_make_a_plan() -> None:
    plan = prepare(config.load(SIMULATED_BOARD))

    assert "dirty_duct" in {rule.name for rule in plan.rules}
    assert plan.classifier.model.name == "visual-clean"


def test_a_model_of_which_a_byte_was_changed_is_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(shipped_bundle(), bundle)
    model = bundle / "model.tflite"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)

    with pytest.raises(ConfigError, match=rf"^{bundle}: model\.tflite"):
        load_classifier(bundle)


def test_a_model_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"^{tmp_path}/nope: cannot be read"):
        load_classifier(tmp_path / "nope")


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


def planned(folder: Path, degree: tuple[DegreePoint, ...] | None) -> Plan:
    """A board with a rule on deposits, and a model with this table."""
    bundle, manifest = shipped()
    (folder / "rules.toml").write_text(RULE_ON_DEPOSITS)
    classifier = Classifier(bundle.files["model.tflite"], structs.replace(manifest, degree=degree))
    return replace(
        prepare(config.load(SIMULATED_BOARD)), rules=load_rules(folder / "rules.toml"), classifier=classifier
    )


def test_a_rule_on_deposits_that_the_model_does_not_estimate_is_told(tmp_path: Path) -> None:
    ((problem, remedy),) = unanswered(planned(tmp_path, None))

    assert problem.endswith("estimates no deposit, so that nothing can raise: too_much")
    assert "ductwatch model calibrate" in remedy


def test_with_a_table_and_without_such_a_rule_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert unanswered(planned(tmp_path, TABLE)) == []
    assert unanswered(prepare(config.load(SIMULATED_BOARD))) == []


def test_an_alarm_on_deposits_belongs_to_the_cameras(tmp_path: Path) -> None:
    assert equipment(planned(tmp_path, TABLE)).alarms == [
        AlarmId("too_much", SourceId("upstream")),
        AlarmId("too_much", SourceId("downstream")),
    ]


def test_the_equipment_names_each_quantity_and_each_alarm_that_can_come() -> None:
    has = equipment(prepare(config.load(SIMULATED_BOARD)))

    assert has.cameras == ("upstream", "downstream")
    assert {Quantity.PM2_5, Quantity.PM2_5_CORRECTED, Quantity.AQI} <= set(has.sensors[SourceId("duct-pm")])
    assert Quantity.DAYS_TO_LIMIT in has.sensors[SourceId("upstream")]
    assert AlarmId("dirty_duct", SourceId("upstream")) in has.alarms
    assert AlarmId("dirty_duct", SourceId("duct-pm")) not in has.alarms
    assert AlarmId("pm2_5_high", SourceId("duct-pm")) in has.alarms
    assert AlarmId("device_dead", SourceId("fan")) in has.alarms


def when(text: str) -> str:
    return RULE_ON_DEPOSITS.replace('signal = "estimated_deposit"', f"when = '{text}'").replace(
        'above = "3 g/m2"\ndeadband = "1 g/m2"\n', ""
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pm2_5 > 35.0 && humidity > 70.0", ""),
        ("dirty_score > 0.5 && blind < 0.5", ""),
        ('pm2_5 > 35.0 && of["upstream"].dirty_score > 0.5', ""),
        ("pm2_5 > 35.0 && dirty_score > 0.5", "rule too_much: dirty_score is measured by upstream, downstream"),
        ("pm2_5 > 35.0 && pm4 > 1.0", "rule too_much: no device of this board measures pm4"),
        ("pm4 > 35.0 && dirty_score > 0.5", ""),
    ],
)
def test_an_expression_that_does_not_say_which_device_it_means_is_told_of(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(when(text))

    told = unclear(replace(prepare(config.load(SIMULATED_BOARD)), rules=load_rules(path)))

    assert [one.startswith(problem) for one, _ in told] == ([True] if problem else [])
