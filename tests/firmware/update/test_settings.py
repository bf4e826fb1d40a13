"""`[update]`: where jobs come from, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.settings import from_table
from firmware.config import parse
from firmware.errors import ConfigError
from firmware.update.settings import UpdateSettings
from ota.job_messages import JobTopics

FOLLOWS = {"root": "/etc/root.json", "repository": "https://models.example.com"}


@pytest.mark.parametrize(
    ("table", "topics"),
    [
        (FOLLOWS, JobTopics("site/ducts", "duct-1")),
        (FOLLOWS | {"jobs": True}, JobTopics("site/ducts", "duct-1")),
        (FOLLOWS | {"jobs": False}, None),
        ({}, None),
        (FOLLOWS | {"jobs_prefix": "$aws/things", "jobs_thing": "AHU:3"}, JobTopics("$aws/things", "AHU:3")),
    ],
    ids=["by itself", "wanted", "unwanted", "no repository", "AWS"],
)
def test_a_board_takes_jobs_where_it_has_a_repository(table: dict[str, Any], topics: JobTopics | None) -> None:
    assert from_table(table, UpdateSettings).job_topics("site/ducts", "duct-1") == topics


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"jobs": True}, "jobs = true, and no repository"),
        (FOLLOWS | {"jobs_prefix": "$SYS"}, "topic prefix"),
        (FOLLOWS | {"jobs_prefix": "a/#"}, "topic prefix"),
        (FOLLOWS | {"jobs_thing": "a/b"}, "jobs_thing: use"),
        (FOLLOWS | {"jobs_thing": ""}, "jobs_thing: use"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_right_is_refused(table: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        from_table(table, UpdateSettings)


def test_jobs_that_no_broker_can_bring_are_refused() -> None:
    text = '[update]\nroot = "/etc/root.json"\nrepository = "/srv/models"\njobs = true\n'

    with pytest.raises(ConfigError, match=r"board.toml:4: jobs = true, and no broker"):
        parse(text, Path("board.toml"))
    assert parse(text + "[uplink]\n", Path("board.toml")).update.jobs
