"""A board that follows a channel: real signatures, slots on a disk, and the trial in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from drivers.settings import Duration
from firmware.observations import UpdateStep
from firmware.uplink.commands import UpdateCheck, UpdateInstall, UpdateRollBack
from model.types import Label
from ota.slot_states import SlotState
from tests.firmware.update.site import NEW, SHIPPED, STEPS, Site, newer
from tests.ota.repository import MODEL

pytestmark = pytest.mark.real


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_release_is_examined_tried_beside_the_old_one_proved_and_kept(site: Site) -> None:
    site.publish(newer())

    async with site.running() as updating:
        assert (await updating.obey(UpdateCheck())).done
        await site.until(UpdateStep.PROBATION)
        await site.reloaded.wait()
    assert site.steps == list(STEPS)
    figures = next(one.figures for one in site.said if one.step is UpdateStep.TRIAL)
    assert figures["golden_agreement"] == 1.0
    assert 0 < figures["p50_ms"] <= figures["p95_ms"]
    assert 0 < figures["memory_mib"] < 128

    async with site.running() as updating:
        assert updating.status()["running"] == {"model": MODEL, "version": "9.0", "release_counter": 9}
        await site.until(UpdateStep.KEPT)
        assert updating.record.active is not None
        assert updating.record[updating.record.active].state is SlotState.GOOD


async def test_the_clock_asks_where_nobody_does(site: Site) -> None:
    site.publish(newer())

    async with site.running(every=Duration(60.0)):
        found = await site.until(UpdateStep.FOUND)

    assert found.release == NEW


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"latency_budget_ms": {"any": 0.001}}, "allowed 0.001 ms"),
        ({"memory_mib": 0.5}, "MiB of memory, allowed 0.5 MiB"),
        ({"image_quality_at_least": 2}, "needs the judge of pictures in version 2"),
        ({"runtime": {"name": "ai-edge-litert", "at_least": "99", "below": "100"}}, "needs ai-edge-litert at least 99"),
        ({"decode_path": "nearest/1"}, "decode_path 'nearest/1' is not one that this firmware has"),
    ],
    ids=["too slow", "too large", "older judge", "other runtime", "other decoder"],
)
async def test_what_is_not_fit_for_this_board_is_refused_for_good(
    site: Site, changes: dict[str, Any], problem: str
) -> None:
    site.publish(newer(**changes))

    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        refused = await site.until(UpdateStep.REFUSED)

        assert problem in refused.why
        await updating.obey(UpdateCheck())
        assert "failed on this board before" in (await site.until(UpdateStep.NONE)).why
    assert site.steps == [UpdateStep.FOUND, UpdateStep.STAGED, UpdateStep.REFUSED, UpdateStep.NONE]


async def test_a_release_for_other_boards_is_not_fetched(site: Site) -> None:
    site.publish(newer(), hardware=["imx8mp"])

    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        none = await site.until(UpdateStep.NONE)

    assert "is for imx8mp" in none.why
    assert site.steps == [UpdateStep.NONE]


async def test_a_model_that_changes_its_mind_wildly_goes_back_by_itself(site: Site) -> None:
    site.label, site.score = Label.DIRTY, 0.99
    site.publish(newer())

    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        refused = await site.until(UpdateStep.REFUSED)

    assert "called the other way round, allowed 20%" in refused.why
    assert site.steps == [UpdateStep.FOUND, UpdateStep.STAGED, UpdateStep.TRIAL, UpdateStep.REFUSED]


async def test_a_model_that_crashes_costs_no_more_than_itself(site: Site) -> None:
    site.program = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    site.publish(newer())

    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        refused = await site.until(UpdateStep.REFUSED)

    assert refused.why == "its process ended: killed by signal 11"


async def test_a_model_that_is_late_once_it_counts_goes_back_by_itself(site: Site) -> None:
    site.publish(newer())
    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        await site.reloaded.wait()

    site.latency_ms = 151.0
    async with site.running():
        went_back = await site.until(UpdateStep.WENT_BACK)
        await site.reloaded.wait()

    assert "95 of 100 verdicts take up to 151.0 ms, allowed 150 ms" in went_back.why
    async with site.running() as updating:
        assert updating.status()["running"] != {"model": MODEL, "version": "9.0", "release_counter": 9}


async def test_a_technician_rolls_back_and_the_release_does_not_come_back(site: Site) -> None:
    site.publish(newer())
    async with site.running() as updating:
        assert not (await updating.obey(UpdateRollBack("ann"))).done
        await updating.obey(UpdateCheck())
        await site.reloaded.wait()
    async with site.running() as updating:
        await site.until(UpdateStep.KEPT)
        assert (await updating.obey(UpdateRollBack("ann"))).done
        assert site.said[-1].why == "by ann"

    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        assert "was rolled back on this board before: by ann" in (await site.until(UpdateStep.NONE)).why


async def test_a_stick_is_as_good_as_the_network_under_the_same_checks(site: Site, tmp_path: Path) -> None:
    site.publish(newer())
    stick = tmp_path / "stick"
    site.repository.folder.rename(stick)

    async with site.running(repository=None) as updating:
        assert not (await updating.obey(UpdateCheck())).done
        assert (await updating.obey(UpdateInstall(str(stick), older=False))).done
        await site.until(UpdateStep.TRIAL)


async def test_a_repository_of_somebody_else_is_refused_once(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other")
    other.publish(newer())
    other.repository.exchange_keys("timestamp")  # without a root that says so
    other.repository.publish_timestamp()

    async with site.running() as updating:
        for _ in range(2):
            await updating.obey(UpdateInstall(str(other.repository.folder), older=False))
            await site.until(UpdateStep.REFUSED)
        await updating.obey(UpdateCheck())
        await site.until(UpdateStep.NONE)

    assert site.steps == [UpdateStep.REFUSED, UpdateStep.NONE]


async def test_an_update_that_was_cut_short_goes_on_where_it_was(site: Site) -> None:
    site.publish(newer())
    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        await site.until(UpdateStep.STAGED)

    async with site.running():
        await site.until(UpdateStep.TRIAL)
    async with site.running():
        await site.until(UpdateStep.PROBATION)

    assert site.steps == list(STEPS)


async def test_a_disk_that_takes_no_slots_costs_no_verdict(site: Site) -> None:
    site.publish(newer())
    (site.folder / "data").mkdir()
    (site.folder / "data" / "ota").write_bytes(b"in the way")

    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        postponed = await site.until(UpdateStep.POSTPONED)

    assert str(site.folder / "data" / "ota") in postponed.why


async def test_without_a_root_nothing_is_taken(site: Site) -> None:
    async with site.running(root=None, repository=None) as updating:
        answer = await updating.obey(UpdateInstall("/media/stick", older=False))

    assert (answer.done, "no root is configured" in answer.text) == (False, True)


async def test_a_disk_that_is_in_the_way_is_not_asked_without_end(site: Site) -> None:
    (site.folder / "data").mkdir()
    (site.folder / "data" / "ota").write_bytes(b"in the way")
    drawn: list[float] = []  # one for each pause

    def chance() -> float:
        drawn.append(0.5)
        return drawn[-1]

    site.chance = chance
    async with site.running() as updating:
        await site.until(UpdateStep.POSTPONED)
        await site.picture()
        await site.picture()

        assert updating.status()["doing"] == "waiting"
        assert len(drawn) <= 3


async def test_a_question_meanwhile_costs_no_trial_and_says_what_came_of_it(site: Site) -> None:
    site.publish(newer())

    async with site.running(trial_pictures=40) as updating:
        await updating.obey(UpdateCheck())
        await site.until_doing("trying", 5)
        await updating.obey(UpdateInstall(str(site.folder / "nowhere"), older=False))
        postponed = await site.until(UpdateStep.POSTPONED)

        assert await site.until_doing("trying") >= 5
        last = updating.status()["last"]
        assert isinstance(last, dict)
        assert (last["outcome"], last["why"]) == ("postponed", postponed.why)
        await site.reloaded.wait()


async def test_a_move_that_time_has_overtaken_is_not_made(site: Site) -> None:
    site.publish(newer())
    async with site.running(trial_pictures=40) as updating:
        await updating.obey(UpdateCheck())
        await site.until_doing("trying", 1)
        with site.depot().updater.slots() as slots:
            slots.give_up("too long")
        site.label, site.score = Label.DIRTY, 0.99  # it fails, but there is nothing to fail any more
        await site.until_doing("waiting")

        assert updating.record.pending is None
    assert site.steps == [UpdateStep.FOUND, UpdateStep.STAGED, UpdateStep.TRIAL]


async def test_a_model_is_not_kept_for_what_another_showed(site: Site) -> None:
    site.publish(newer())
    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        await site.reloaded.wait()

    site.runs, site.reload_again_s = SHIPPED, 0.2
    async with site.running() as updating:
        await site.reloaded.wait()
        assert updating.record.active is not None
        assert updating.record[updating.record.active].state is SlotState.PROBATION
        assert not (await updating.obey(UpdateCheck())).done
    site.runs = None
    async with site.running():
        await site.until(UpdateStep.KEPT)


async def test_a_reload_that_does_not_come_is_asked_for_again(site: Site) -> None:
    site.publish(newer())
    site.reload_again_s = 0.2
    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        for _ in range(3):
            await site.reloaded.wait()
            site.reloaded.clear()

        assert updating.status()["doing"] == "reloading"


async def test_a_verdict_on_a_model_that_somebody_left_meanwhile_is_none(site: Site) -> None:
    site.publish(newer())
    async with site.running() as updating:
        await updating.obey(UpdateCheck())
        await site.reloaded.wait()

    async with site.running(probation_pictures=10) as updating:
        await site.until_doing("proving", 1)
        assert (await updating.obey(UpdateRollBack("ann"))).done
        await site.until_doing("reloading")  # by itself, though nobody has loaded the model before

    assert UpdateStep.KEPT not in site.steps
