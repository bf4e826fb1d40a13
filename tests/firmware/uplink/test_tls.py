"""Who may connect: certificates, authorities, passwords; and what a technician is told when one of them is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from firmware.observations import HealthChange
from tests.firmware.uplink.builders import TOPICS, note
from tests.firmware.uplink.sender import sending, settings
from tests.mosquitto import Certificates, Inbox, Mosquitto, free_port, make_certificates, make_password_file

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def demanding(certificates: Certificates) -> list[str]:
    """A broker that speaks TLS only, and only with boards that have a certificate of its authority."""
    return [
        f"cafile {certificates.ca}",
        f"certfile {certificates.broker}",
        f"keyfile {certificates.broker_key}",
        "require_certificate true",
        "use_identity_as_username true",
    ]


async def failure(folder: Path, port: int, **further: Any) -> HealthChange:
    async with sending(folder / "outbox.sqlite", settings(port, **further)) as sender:
        return await sender.next_change()


async def test_a_board_with_its_certificate_is_let_in(tmp_path: Path, certificates: Certificates) -> None:
    known = {"ca": certificates.ca, "certificate": certificates.board, "key": certificates.board_key}
    inbox, plain_port = Inbox(), free_port()
    options = [*demanding(certificates), f"listener {plain_port} 127.0.0.1", "allow_anonymous true"]
    async with (
        Mosquitto(tmp_path, options) as broker,
        inbox.listening(plain_port, "ductwatch/duct/telemetry"),
        sending(tmp_path / "outbox.sqlite", settings(broker.port, **known)) as sender,
    ):
        sender.outbox.accept(note())
        await inbox.until(lambda messages: len(messages) == 1)

        assert sender.changes.empty()


async def test_a_board_without_one_is_told_that_it_may_need_one(tmp_path: Path, certificates: Certificates) -> None:
    async with Mosquitto(tmp_path, demanding(certificates)) as broker:
        change = await failure(tmp_path, broker.port, ca=certificates.ca)

    assert change.problem == f"the broker at 127.0.0.1:{broker.port} hangs up during the login"
    assert "uplink.certificate" in change.remedy


async def test_a_broker_of_another_authority_is_not_trusted(tmp_path: Path, certificates: Certificates) -> None:
    async with Mosquitto(tmp_path, demanding(certificates)) as broker:
        change = await failure(tmp_path, broker.port, ca=certificates.other_ca)

    assert f"does not suit {certificates.other_ca}" in change.problem
    assert change.remedy == "Set uplink.ca to the certificate of the authority that signed the broker's"


async def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path, certificates: Certificates) -> None:
    async with Mosquitto(tmp_path, demanding(certificates)) as broker:
        change = await failure(tmp_path, broker.port, ca=certificates.ca, host="localhost")

    assert "'localhost'" in change.problem
    assert change.remedy.startswith("Write uplink.host as the certificate has it")


async def test_tls_to_a_port_that_speaks_none_and_the_other_way_round(
    tmp_path: Path, certificates: Certificates
) -> None:
    async with Mosquitto(tmp_path) as plain, Mosquitto(tmp_path, demanding(certificates)) as encrypted:
        wrongly_encrypted = await failure(tmp_path, plain.port, ca=certificates.ca)
        wrongly_plain = await failure(tmp_path, encrypted.port)

    assert "uplink.port" in wrongly_encrypted.remedy
    assert "uplink.port" in wrongly_plain.remedy


@pytest.mark.parametrize("setting", ["ca", "certificate"])
@pytest.mark.parametrize("content", [None, b"rubbish"], ids=["missing", "rubbish"])
async def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path, setting: str, content: bytes | None) -> None:
    path = tmp_path / "board.pem"
    if content is not None:
        path.write_bytes(content)

    change = await failure(tmp_path, 1, **{setting: path})

    assert change.problem.startswith(f"{path} cannot be used: ")
    assert f"uplink.{setting}" in change.remedy


async def test_a_password_is_read_anew_for_each_connection_and_never_said(tmp_path: Path) -> None:
    passwords, secret, inbox = make_password_file(tmp_path, "board", "right"), tmp_path / "secret", Inbox()
    secret.write_text("wrong\n")
    login = {"username": "board", "password_file": secret}
    async with (
        Mosquitto(tmp_path, ["allow_anonymous true", f"password_file {passwords}"]) as broker,
        inbox.listening(broker.port),
        sending(tmp_path / "outbox.sqlite", settings(broker.port, **login)) as sender,
    ):
        refused = await sender.next_change()
        secret.write_text("right\n")
        await inbox.payloads(TOPICS.availability, 1)

    assert refused.problem == f"the broker at 127.0.0.1:{broker.port} does not authorise this board"
    assert "wrong" not in repr(refused) + repr(sender.session)


async def test_a_password_file_that_is_missing_is_named(tmp_path: Path) -> None:
    change = await failure(tmp_path, 1, username="board", password_file=tmp_path / "secret")

    assert change.problem == f"{tmp_path / 'secret'} cannot be used: No such file or directory"
