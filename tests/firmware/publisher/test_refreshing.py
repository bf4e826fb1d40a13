"""Roles that expire: who is told, who renews them, and for how long."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tuf.api.exceptions import ExpiredMetadataError
from tuf.api.metadata import Snapshot, Timestamp

from tests.firmware.publisher.office import NOW, Publisher
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real

DAY = timedelta(days=1)


def test_an_expired_repository_is_refused_until_it_is_refreshed(publisher: Publisher, client: Client) -> None:
    assert publisher.does("refresh", later=-3 * DAY) == 0
    with pytest.raises(ExpiredMetadataError):
        client.updater()

    assert publisher.does("refresh") == 0

    client.updater()


def test_refreshing_signs_the_snapshot_only_when_half_its_time_is_over(publisher: Publisher, client: Client) -> None:
    publisher.does("refresh", later=1 * DAY)
    assert not (publisher.updates / "metadata" / "2.snapshot.json").exists()

    publisher.does("refresh", later=8 * DAY)

    assert (publisher.updates / "metadata" / "2.snapshot.json").exists()
    client.updater()


@pytest.mark.parametrize("days", [1, 2, 14])
def test_refreshing_may_be_for_longer_than_two_days(
    publisher: Publisher, client: Client, capsys: pytest.CaptureFixture[str], days: int
) -> None:
    assert publisher.does("refresh", "--for", str(days), later=1 * DAY) == 0

    assert f"(in {days} day" in capsys.readouterr().out
    metadata = publisher.updates / "metadata"
    timestamp = Timestamp.from_dict(json.loads((metadata / "timestamp.json").read_bytes())["signed"])
    listed = metadata / f"{timestamp.snapshot_meta.version}.snapshot.json"
    assert timestamp.expires == NOW.replace(microsecond=0) + (1 + days) * DAY
    assert timestamp.expires <= Snapshot.from_dict(json.loads(listed.read_bytes())["signed"]).expires
    client.updater()


@pytest.mark.parametrize("days", ["0", "15", "-1"])
def test_no_timestamp_is_good_for_longer_than_a_snapshot(
    publisher: Publisher, capsys: pytest.CaptureFixture[str], days: str
) -> None:
    assert publisher.does("refresh", f"--for={days}") == 2
    assert f"--for {days}: a timestamp is good for 1 to 14 days" in capsys.readouterr().err


def test_keyholders_do_not_say_for_how_long_a_timestamp_is_good(publisher: Publisher) -> None:
    assert publisher.does("refresh", "--role", "root", "--for", "7", "--ceremony", publisher.home / "ceremony") == 2
    assert not (publisher.home / "ceremony").exists()


def test_refreshing_warns_of_roles_that_people_must_renew_soon_and_is_done_all_the_same(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publisher.does("refresh", later=70 * DAY) == 0
    shown = capsys.readouterr()
    assert "stable: expires" in shown.err
    assert f"ductwatch ota refresh --role stable --repository {publisher.updates}" in shown.err
    assert "Published." in shown.out

    assert publisher.does("refresh", "--role", "stable", "--role", "canary", "--role", "lab", later=70 * DAY) == 0
    assert capsys.readouterr().err == ""


def test_an_expired_root_is_followed_by_a_new_one(publisher: Publisher, client: Client) -> None:
    roles = ("--role", "root", "--role", "targets", "--role", "stable", "--role", "canary", "--role", "lab")
    publisher.does("refresh", *roles, later=-800 * DAY)
    with pytest.raises(ExpiredMetadataError):
        client.updater()

    assert publisher.does("refresh", *roles) == 0

    client.updater()
    assert (publisher.updates / "metadata" / "3.root.json").exists()
