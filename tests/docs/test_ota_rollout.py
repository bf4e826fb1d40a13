"""What docs/ota-rollout.md shows is so."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import aiomqtt
import pytest

from drivers.types import SourceId
from firmware.cli import parser
from firmware.config import parse
from firmware.fleet.report import Report
from firmware.fleet.server import TICK_S
from firmware.fleet.store import MAX_BOARDS, MAX_FILE_BYTES, MAX_ROLLOUTS, Store
from firmware.fleet.types import Ticket
from firmware.rollout_view import table
from firmware.terminal import Colours
from firmware.update.jobbing import LOOK_S
from firmware.uplink.discovery import Equipment, announcement
from ota.job_messages import MAX_DETAILS, JobDocument, JobTopics, Status, decoded
from ota.rollout import Member, Progress
from tests.firmware.fleet.builders import rollout
from tests.firmware.uplink.builders import TOPICS
from tests.firmware.uplink.sender import sending, settings
from tests.mosquitto import LONG_S, PASSWORDS, Mosquitto, make_password_file

PAGE = (Path(__file__).parents[2] / "docs" / "ota-rollout.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("ductwatch ")
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.replace("\\\n", "").splitlines()
]
(ACCESS_LIST,) = re.findall(r"```\n(pattern .*?)```", PAGE, re.DOTALL)
(DOCUMENT,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_shown_are_taken(command: str) -> None:
    assert parser().parse_args(shlex.split(command)).action in ("rollout", "jobs-server")


def test_the_picture_shown_is_what_a_terminal_shows() -> None:
    statuses = (Status.SUCCEEDED, Status.SUCCEEDED, Status.IN_PROGRESS, Status.FAILED, None, None, None, None)
    names = ("duct-1", "duct-2", "duct-3", "duct-6", "duct-4", "duct-5", "duct-7", "duct-8")
    members = {
        name: Member(cohort=0 if status else 1, status=status) for name, status in zip(names, statuses, strict=True)
    }
    details = {"duct-3": {"step": "download"}, "duct-6": {"reason": "no room"}}
    tickets = [
        Ticket(rollout="spring-26", board=name, document=b"", member=members[name], details=details[name])
        for name in details
    ]
    one = Report(
        rollout=rollout("spring-26", percents=[50, 100]),
        progress=Progress(members=members),
        tickets=tickets,
        availability=dict.fromkeys(names, "online"),
        is_served=True,
        wait_s=86_280,
    )

    assert table(one, Colours.NONE) == re.findall(r"```\n(spring-26.*?)\n```", PAGE, re.DOTALL)[0].splitlines()


def test_the_document_shown_is_one() -> None:
    document = decoded(DOCUMENT.encode(), JobDocument)

    assert json.loads(document.encoded()) == json.loads(DOCUMENT)


def test_a_board_that_is_set_up_as_shown_takes_part_and_asks_only_when_it_is_told() -> None:
    own, aws = (parse(text, Path("docs/ota-rollout.md")) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))

    assert own.uplink is not None
    assert own.update.job_topics(own.uplink.prefix, own.board.name) == JobTopics("ductwatch", "duct-1")
    assert not own.update.poll
    assert (aws.update.jobs_prefix, aws.update.jobs_thing) == ("$aws/things", "AHU-3")


def test_the_bounds_told_are_the_servers() -> None:
    assert f"{MAX_BOARDS:,} boards, {MAX_ROLLOUTS} rollouts" in PAGE
    assert f"{MAX_FILE_BYTES >> 20} MB" in PAGE
    assert f"every {TICK_S:g} seconds" in PAGE
    assert f"at most {MAX_DETAILS} `statusDetails`" in PAGE
    assert f"within {LOOK_S:g} s after its window opens" in PAGE


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    """Users, each with the password `secret`."""
    made = make_password_file(tmp_path, "jobs-server", "secret")
    for user in ("duct", "duct-1", "duct-2", "home"):
        subprocess.run([str(PASSWORDS), "-b", str(made), user, "secret"], check=True, capture_output=True)
    return made


@pytest.mark.real
async def test_by_the_access_list_a_board_speaks_for_itself_alone_and_the_server_serves(
    tmp_path: Path, passwords: Path
) -> None:
    (tmp_path / "acl").write_text(ACCESS_LIST)
    (tmp_path / "password").write_text("secret\n")
    options = ["allow_anonymous false", f"password_file {passwords}", f"acl_file {tmp_path / 'acl'}"]
    with Store(tmp_path / "fleet.sqlite") as store:
        store.add(rollout(boards=["duct-1", "duct-2"]))
        async with Mosquitto(tmp_path, options) as broker:
            (tmp_path / "fleet.toml").write_text(
                f'[uplink]\nhost = "127.0.0.1"\nport = {broker.port}\nusername = "jobs-server"\n'
                f'password_file = "{tmp_path / "password"}"\n'
            )
            command = [sys.executable, "-m", "firmware", "ota", "jobs-server"]
            command += ["--config", str(tmp_path / "fleet.toml"), "--state", str(tmp_path / "fleet.sqlite")]
            server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            try:
                assert server.stdout is not None
                assert (await asyncio.wait_for(server.stdout.readline(), LONG_S)).startswith(b"serving jobs")
                await _report_for_both(broker.port, store)
            finally:
                server.kill()
                await server.communicate()

        assert {one.board: one.status for one in store.tickets_of("r1")} == {
            "duct-1": Status.SUCCEEDED,
            "duct-2": Status.QUEUED,
        }


@pytest.mark.real
async def test_by_the_access_list_a_board_as_it_is_gets_in_and_is_found_by_home_assistant(
    tmp_path: Path, passwords: Path
) -> None:
    (tmp_path / "acl").write_text(f"{ACCESS_LIST}user home\ntopic read #\n")
    (tmp_path / "password").write_text("secret\n")
    options = ["allow_anonymous false", f"password_file {passwords}", f"acl_file {tmp_path / 'acl'}"]
    found = announcement(Equipment(cameras=[SourceId("upstream")], sensors={}), TOPICS, version="1.2.3")
    async with Mosquitto(tmp_path, options) as broker, _user("home", broker.port) as home:
        board = settings(broker.port, username="duct", password_file=tmp_path / "password")
        await home.subscribe("#", qos=1)
        async with sending(tmp_path / "outbox", board, announcements=[found]) as sender:
            sent_away = asyncio.ensure_future(sender.next_change())
            heard = asyncio.ensure_future(_two(home))
            await asyncio.wait((sent_away, heard), return_when=asyncio.FIRST_COMPLETED)
            sent_away.cancel()

            assert heard.done()
            assert await heard == {found.topic: found.payload, TOPICS.availability: b"online"}


def _user(name: str, port: int) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", port, username=name, password="secret", protocol=aiomqtt.ProtocolVersion.V5)


async def _two(client: aiomqtt.Client) -> dict[str, object]:
    """The next two messages, by their topics."""
    messages = aiter(client.messages)
    two = [await asyncio.wait_for(anext(messages), LONG_S) for _ in range(2)]
    return {one.topic.value: one.payload for one in two}


async def _report_for_both(port: int, store: Store) -> None:
    """As duct-1, for the other board first."""
    async with _user("duct-1", port) as board:
        await board.subscribe("ductwatch/duct-1/jobs/#", qos=1)
        async with asyncio.timeout(LONG_S):
            while len(store.tickets_of("r1")) < 2:  # noqa: ASYNC110 - the file is another process's
                await asyncio.sleep(0.05)
            for name in ("duct-2", "duct-1"):
                await board.publish(f"ductwatch/{name}/jobs/r1/update", '{"status":"SUCCEEDED"}', qos=1)
            async for message in board.messages:
                if message.topic.value == "ductwatch/duct-1/jobs/r1/update/accepted":
                    return
