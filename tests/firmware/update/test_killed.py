"""The whole firmware, killed (SIGKILL) in each state of an update: what counts is proved, and the update goes on.

One board goes through all of it, so that each test begins with what the one before left.
"""

from __future__ import annotations

import os
import signal
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.manifest import parse_manifest
from model.shipped import shipped_bundle
from ota.slot_states import SlotEvent, SlotName, SlotState
from tests.firmware.update.lives import Life, Site, Story, candidates, proved, record_in, until_gone
from tests.ota.web_server import web_server

pytestmark = pytest.mark.real

OLD, NEW = parse_manifest((shipped_bundle() / "manifest.json").read_bytes()).version, "9.0"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with web_server() as server:
        yield Site(tmp_path_factory.mktemp("site"), server)


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    return Story(site)


def test_killed_in_asking(story: Story) -> None:
    left, then = story.killed("asking")

    assert left.files == {"slots.json"}
    assert then.steps[:1] == ["found"]


def test_killed_in_fetching(story: Story, site: Site) -> None:
    left, then = story.killed("fetching")

    part = left.data / "ota" / "part" / f"{site.sha256}.part"
    assert left.files == {f"part/{part.name}", "slots.json"}
    assert 0 < part.stat().st_size < len(site.content)
    assert f"bytes={part.stat().st_size}-" in site.server.ranges
    assert then.steps == ["found", "staged"]
    assert then.counted <= {OLD}


def test_killed_in_staged(story: Story, site: Site) -> None:
    left, then = story.killed("staged")

    assert left.record.a.state is SlotState.STAGED
    assert left.record.active is None
    assert proved(left.data, site)
    assert left.files - {f"part/{site.sha256}.part"} == {"slots.json", "slots/a.tar"}
    assert then.steps == []
    assert then.counted == {OLD}


def test_killed_in_examining(story: Story, site: Site) -> None:
    left, then = story.killed("examining")

    assert (left.record.a.state, left.record.a.starts) == (SlotState.STAGED, 1)
    assert proved(left.data, site)
    assert left.files == {"slots.json", "slots/a.tar"}
    assert then.steps == ["trial"]
    assert then.counted == {OLD}


def test_killed_in_trial(story: Story, site: Site) -> None:
    left, then = story.killed("trial")

    assert (left.record.a.state, left.record.active) == (SlotState.TRIAL, None)
    assert proved(left.data, site)
    assert left.files == {"slots.json", "slots/a.tar"}
    assert then.steps == []
    assert then.counted == {OLD}


def test_killed_before_the_slots_file_has_its_name_the_old_model_counts(story: Story, site: Site) -> None:
    left, then = story.killed("before the slots are renamed")

    assert left.files == {"slots.json", "slots.json.half", "slots/a.tar"}
    assert (left.record.a.state, left.record.active) == (SlotState.TRIAL, None)
    assert proved(left.data, site)
    assert then.counted == {OLD}


def test_killed_after_the_slots_file_has_its_name_the_new_model_counts(story: Story, site: Site) -> None:
    left, then = story.killed("after the slots are renamed")

    assert left.files == {"slots.json", "slots/a.tar"}
    assert (left.record.a.state, left.record.active) == (SlotState.PROBATION, SlotName.A)
    assert proved(left.data, site)
    assert then.counted == {NEW}


def test_killed_in_probation_it_goes_on_and_the_model_is_kept(story: Story, site: Site) -> None:
    _, then = story.killed("probation")

    assert then.steps == ["kept"]
    assert then.counted == {NEW}
    kept = story.left[-1]
    assert (kept.record.a.state, kept.record.active) == (SlotState.GOOD, SlotName.A)
    assert proved(kept.data, site)
    assert kept.files == {"slots.json", "slots/a.tar"}
    assert len(list(story.data.with_name("board.tmp").iterdir())) <= 1  # what TUF worked on when it was killed
    assert "Traceback" not in story.data.with_name("board.log").read_text()


def test_killed_three_times_in_probation_it_is_back_at_the_old_model_for_good(story: Story, site: Site) -> None:
    data = story.board_left("probation", "unlucky")  # killed as it began, and once more

    with Life(site, data) as third:
        assert third.until("verdict")["model"]["version"] == NEW
        third.until_it_does("proving")
        assert "is on probation: ask again" in third.asked(command="update_check")["text"]
    with Life(site, data) as fourth:
        assert fourth.until("verdict")["model"]["version"] == OLD

    record = record_in(data)
    assert (record.active, record.a.state, record.bad) == (None, SlotState.BAD, (site.sha256,))
    assert (record.history[-1].event, record.history[-1].why) == (
        SlotEvent.FAIL,
        "3 starts of the firmware without a verdict",
    )
    assert not (data / "ota" / "slots" / "a.tar").exists()


def test_a_candidate_that_is_killed_is_refused_and_verdicts_go_on(
    story: Story, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    with Life(site, story.board_left("staged", "attacked")) as life:
        life.until_it_does("examining")
        candidate = life.candidate()
        assert Path(f"/proc/{candidate}/oom_score_adj").read_text().strip() == "1000"
        beside = [life.until("verdict")["latency_ms"] for _ in range(12)]
        os.kill(candidate, signal.SIGKILL)
        refused = life.until("update", step="refused")
        alone = [life.until("verdict")["latency_ms"] for _ in range(12)]

    assert refused["why"] == "its process ended: killed by signal 9"
    assert life.counted == {OLD}
    assert record_in(life.data).bad == (site.sha256,)
    with capsys.disabled():
        medians = statistics.median(alone), statistics.median(beside)
        print("\nmedian latency: {:.1f} ms, and {:.1f} ms beside a candidate that is timed".format(*medians))


def test_a_reload_amid_a_trial_begins_it_anew_and_counts_as_no_start(story: Story, site: Site) -> None:
    with Life(site, story.board_left("trial", "reloaded")) as life:
        life.until_it_does("trying", here=1)
        first = life.candidate()
        life.process.send_signal(signal.SIGHUP)
        until_gone(first)
        assert life.candidate() != first
        assert record_in(life.data).a.starts == 1
        life.until("update", step="probation")

    for pid in candidates(life.data):
        until_gone(pid)
    assert life.counted == {OLD}
    assert record_in(life.data).active is SlotName.A
    assert proved(life.data, site)
