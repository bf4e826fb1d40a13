from __future__ import annotations

from drivers.errors import BadData, Lost
from drivers.types import NS_PER_S, Instant, Reading, SourceId
from firmware.observations import HealthChange, Observation
from firmware.vitals import Vitals
from tests.builders import at

GAS = SourceId("duct-gas")
GONE = Lost(GAS, "no answer", remedy="Check the cable.")
NOISE = BadData(GAS, "checksum wrong", remedy="Check the shield.")


class Ward:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.said: list[Observation] = []
        self.vitals = Vitals(self.said.append, self.now)

    def now(self) -> Instant:
        return at(self.now_s)

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [(one.condition.value, one.problem) for one in self.said if isinstance(one, HealthChange)]

    @property
    def alive(self) -> list[tuple[float, float]]:
        return [(one.at / NS_PER_S, one.value) for one in self.said if isinstance(one, Reading)]


def test_a_device_that_never_failed_is_no_news() -> None:
    ward = Ward()

    for _ in range(3):
        ward.vitals.well(GAS)

    assert (ward.changes, ward.alive) == ([], [(0, 1)])


def test_a_failure_is_said_once_and_the_recovery_with_its_length() -> None:
    ward = Ward()
    for ward.now_s in (10, 20, 30):
        ward.vitals.failed(GONE)
    ward.now_s = 52
    ward.vitals.well(GAS)

    assert ward.changes == [("failed", "no answer"), ("recovered", "back after 42 s")]
    assert ward.vitals.failures == 3


def test_another_problem_of_the_same_device_is_news() -> None:
    ward = Ward()
    ward.vitals.failed(NOISE)
    ward.vitals.failed(GONE)

    assert ward.changes == [("failed", "checksum wrong"), ("failed", "no answer")]


def test_the_same_problem_with_other_figures_is_no_news() -> None:
    ward = Ward()
    for problem in ("heard 200 bytes of noise in 5 s", "heard 192 bytes of noise in 5 s", "silent for 5 s"):
        ward.vitals.failed(Lost(GAS, problem, remedy="Check the shield."))

    assert ward.changes == [("failed", "heard 200 bytes of noise in 5 s"), ("failed", "silent for 5 s")]


def test_who_is_alive_is_repeated_for_the_rules() -> None:
    ward = Ward()
    ward.vitals.well(GAS)
    ward.vitals.failed(GONE)
    ward.now_s = 60
    ward.vitals.repeat()

    assert ward.alive == [(0, 1), (0, 0), (60, 0)]
    assert ward.changes == [("failed", "no answer")]
