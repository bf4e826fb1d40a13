"""The whole update under power cuts and errors. All of them, and random ones: `tests.ota.fault_schedules --update`."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fakes.faults import cut_everywhere, refused_everywhere, schedule
from tests.ota.update_life import UpdateLife

pytestmark = pytest.mark.real


@pytest.fixture
def life(tmp_path: Path) -> UpdateLife:
    made = UpdateLife(tmp_path)
    made.offer()
    return made


def test_a_visit_that_is_cut_leaves_a_board_that_believes_as_before_or_as_after(life: UpdateLife) -> None:
    assert cut_everywhere(life.visiting(), life.disk, most=2, random=Random(0), share=0.2) > 0


def test_an_update_that_is_cut_leaves_a_board_that_runs_the_old_or_the_new(life: UpdateLife) -> None:
    assert cut_everywhere(life.updating(), life.disk, most=2, random=Random(0), share=0.2) > 0


def test_an_update_that_the_disk_refuses_leaves_a_board_that_runs_the_old_or_the_new(life: UpdateLife) -> None:
    assert refused_everywhere(life.updating(), life.disk, most=1, random=Random(0), share=0.01) > 0


def test_no_fault_in_a_row_of_updates_makes_a_board_run_or_believe_anything_else(life: UpdateLife) -> None:
    assert schedule(life.walk(2), life.disk, Random(1)) > 0
