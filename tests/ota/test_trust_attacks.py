"""What an attacker may try between the publisher and a board; the names are TUF's and Uptane's."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import MetaFile

from ota.errors import OtaError, Unreachable, Untrusted
from ota.folder import Folder
from ota.pace import METADATA
from ota.web import MAX_REDIRECTS, Web
from tests.ota.board import DAMAGES, Board, lost
from tests.ota.repository import EXPIRES, MODEL, NOW, SimulatedRepository
from tests.ota.web_server import Behaviour, Request, served

pytestmark = pytest.mark.real

TIMESTAMP = "/metadata/timestamp.json"


@pytest.fixture
def repository(tmp_path: Path) -> SimulatedRepository:
    made = SimulatedRepository(tmp_path / "repository")
    made.offer(1)
    return made


@pytest.fixture
def board(tmp_path: Path, repository: SimulatedRepository) -> Board:
    """It has seen the repository once."""
    made = Board(tmp_path / "board", repository.first_root)
    assert made.counter(repository.folder) == 1
    return made


@contextmanager
def visit(repository: SimulatedRepository, answers: dict[str, Behaviour], **pace: float) -> Iterator[Web]:
    with (
        served(repository.folder, answers) as url,
        Web(url, pace=replace(METADATA, **pace), allow_http=True) as web,  # type: ignore[arg-type]  # numbers
    ):
        yield web


# what is not signed by whom it should be


def test_arbitrary_software_is_refused(board: Board, repository: SimulatedRepository) -> None:
    repository.signers["stable"] = [repository.new_key()]
    repository.offer(2)

    with pytest.raises(Untrusted, match="stable was signed by 0/1 keys"):
        board.ask(repository.folder)


def test_a_key_below_the_threshold_signs_nothing(board: Board, repository: SimulatedRepository) -> None:
    del repository.signers["targets"][1:]
    repository.put("targets", f"stable/{MODEL}.tar", b"evil")
    repository.publish("targets")

    with pytest.raises(Untrusted, match="targets was signed by 1/2 keys"):
        board.ask(repository.folder)


def test_one_stolen_key_of_root_makes_no_root(board: Board, repository: SimulatedRepository) -> None:
    del repository.signers["root"][1:]
    repository.publish("root")

    with pytest.raises(Untrusted, match="root was signed by 1/2 keys"):
        board.ask(repository.folder)


def test_a_revoked_key_signs_nothing(board: Board, repository: SimulatedRepository) -> None:
    stolen = repository.signers["timestamp"]
    repository.exchange_keys("timestamp")
    repository.publish("root")
    repository.signers["timestamp"] = stolen
    repository.publish_timestamp()

    with pytest.raises(Untrusted, match="timestamp was signed by 0/1 keys"):
        board.ask(repository.folder)


def test_a_revoked_key_of_a_channel_signs_nothing(board: Board, repository: SimulatedRepository) -> None:
    stolen = repository.signers["stable"]
    repository.exchange_keys("stable", by="targets")
    repository.publish("targets")
    repository.signers["stable"] = stolen
    repository.offer(2)

    with pytest.raises(Untrusted, match="stable was signed by 0/1 keys"):
        board.ask(repository.folder)


def test_a_revocation_is_kept_though_all_after_it_is_withheld(board: Board, repository: SimulatedRepository) -> None:
    before = repository.copy("before")
    repository.exchange_keys("timestamp")
    repository.publish("root")
    repository.path("timestamp", 0).unlink()
    with pytest.raises(Unreachable, match=r"timestamp\.json is not there"):
        board.ask(repository.folder)

    with pytest.raises(Untrusted, match="timestamp was signed by 0/1 keys"):
        board.ask(before)


def test_signed_metadata_that_is_none_ends_in_words(board: Board, repository: SimulatedRepository) -> None:
    delegations = repository.targets["targets"].delegations
    assert delegations is not None
    assert delegations.roles is not None
    delegations.roles["stable"].name = 7  # type: ignore[assignment]  # that is the point
    repository.publish("targets")

    with pytest.raises(Untrusted, match="not to be trusted"):
        board.ask(repository.folder)


def test_a_role_vouches_for_nothing_outside_of_its_paths(board: Board, repository: SimulatedRepository) -> None:
    repository.put("stable", f"canary/{MODEL}.tar", b"evil")
    repository.publish("stable")

    assert board.ask(repository.folder, channel="canary") is None


@pytest.mark.parametrize(("depth", "found"), [(7, True), (8, False)])
def test_a_target_beyond_too_many_delegations_is_not_found(
    board: Board, repository: SimulatedRepository, depth: int, found: bool
) -> None:
    above = "targets"
    roles = [f"deep{number}" for number in range(depth + 1)]
    for role in roles:
        repository.delegate(role, ["deep/*"], by=above)
        above = role
    repository.publish("targets", *roles)
    repository.offer(2, channel="deep", role=above)

    assert (board.ask(repository.folder, channel="deep") is not None) is found


# what is old


@pytest.fixture(params=[None, *DAMAGES], ids=["whole", *DAMAGES])
def damage(request: pytest.FixtureRequest) -> Callable[[Board], None]:
    """To all the metadata that a board has, and to one copy of its floors."""

    def do(board: Board) -> None:
        if request.param is not None:
            for name, path in board.kept().items():
                if name != "floors.b":
                    DAMAGES[request.param](path)

    return do


def test_an_old_timestamp_is_refused(
    board: Board, repository: SimulatedRepository, damage: Callable[[Board], None]
) -> None:
    old = repository.copy("old")
    repository.publish_timestamp()
    assert board.counter(repository.folder) == 1
    damage(board)

    with pytest.raises(Untrusted, match="timestamp"):
        board.ask(old)
    assert board.counter(repository.folder) == 1


def test_what_was_refused_is_not_kept(board: Board, repository: SimulatedRepository) -> None:
    old = repository.copy("old")
    repository.publish_timestamp()
    assert board.counter(repository.folder) == 1
    lost(board.kept()["metadata/timestamp.json"])

    with pytest.raises(Untrusted, match="timestamp: version 2 is older than 3"):
        board.ask(old)
    assert "metadata/timestamp.json" not in board.kept()


def test_an_old_snapshot_is_refused_under_a_new_timestamp(
    board: Board, repository: SimulatedRepository, damage: Callable[[Board], None]
) -> None:
    repository.publish_online()
    assert board.counter(repository.folder) == 1
    damage(board)
    repository.timestamp.snapshot_meta = MetaFile(repository.snapshot.version - 1)
    repository.publish_timestamp()

    with pytest.raises(Untrusted, match="snapshot"):
        board.ask(repository.folder)


def test_an_old_channel_is_refused_under_a_new_snapshot(
    board: Board, repository: SimulatedRepository, damage: Callable[[Board], None]
) -> None:
    repository.offer(2)
    assert board.counter(repository.folder) == 2
    damage(board)
    repository.snapshot.meta["stable.json"] = MetaFile(repository.targets["stable"].version - 1)
    repository.publish_online()

    with pytest.raises(Untrusted, match="stable"):
        board.ask(repository.folder)


def test_an_old_release_is_refused_in_a_new_channel(
    board: Board, repository: SimulatedRepository, damage: Callable[[Board], None]
) -> None:
    repository.offer(2)
    assert board.counter(repository.folder) == 2
    damage(board)
    repository.offer(1)

    with pytest.raises(Untrusted, match="release counter 1 is older than 2"):
        board.ask(repository.folder)


def test_an_old_root_is_refused_by_a_board_that_lost_the_new_one(board: Board, repository: SimulatedRepository) -> None:
    old = repository.copy("old")
    repository.exchange_keys("timestamp")
    repository.publish("root")
    assert board.counter(repository.folder) == 1
    lost(board.kept()["metadata/root_history/2.root.json"])

    with pytest.raises(Untrusted, match="root: version 1 is older than 2"):
        board.ask(old)


def test_an_old_release_is_refused_from_another_channel(board: Board, repository: SimulatedRepository) -> None:
    repository.offer(3)
    assert board.counter(repository.folder) == 3
    repository.offer(2, channel="canary")

    with pytest.raises(Untrusted, match="release counter 2 is older than 3"):
        board.ask(repository.folder, channel="canary")


def test_a_frozen_repository_is_refused_once_its_timestamp_is_old(
    board: Board, repository: SimulatedRepository
) -> None:
    repository.timestamp.expires = NOW + timedelta(days=2)
    repository.publish_timestamp()

    assert board.counter(repository.folder, now=NOW + timedelta(days=1)) == 1
    with pytest.raises(Untrusted, match=r"timestamp expired on .* the repository is a stale copy"):
        board.ask(repository.folder, now=NOW + timedelta(days=3))


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets", "stable"])
@pytest.mark.parametrize("by_its_own_clock", [True, False], ids=["by ngclient's clock", "by the floor"])
def test_an_expired_role_is_refused(
    board: Board, repository: SimulatedRepository, role: str, by_its_own_clock: bool
) -> None:
    signed = {"root": repository.root, "timestamp": repository.timestamp, "snapshot": repository.snapshot}
    age = timedelta(days=-1 if by_its_own_clock else 1)
    (signed.get(role) or repository.targets[role]).expires = NOW + age
    repository.publish(*({role} - {"timestamp", "snapshot"}))

    with pytest.raises(Untrusted, match=rf"{role}.* expired.*: this board's clock says"):
        board.ask(repository.folder, now=NOW + age + timedelta(hours=1))


def test_parts_of_two_states_do_not_mix(board: Board, repository: SimulatedRepository) -> None:
    repository.offer(2)
    old, new = (repository.path("stable", repository.targets["stable"].version - back) for back in (1, 0))
    new.write_bytes(old.read_bytes())

    with pytest.raises(Untrusted, match="Expected stable v3, got v2"):
        board.ask(repository.folder)


def test_another_channel_that_expired_does_not_matter(board: Board, repository: SimulatedRepository) -> None:
    repository.targets["canary"].expires = NOW + timedelta(days=1)
    repository.offer(1, channel="canary")
    assert board.ask(repository.folder, channel="canary") is not None

    assert board.counter(repository.folder, now=NOW + timedelta(days=2)) == 1
    with pytest.raises(Untrusted, match="canary expired"):
        board.ask(repository.folder, channel="canary", now=NOW + timedelta(days=2))


# clocks


def test_a_clock_set_back_makes_nothing_fresh_again(board: Board, repository: SimulatedRepository) -> None:
    repository.timestamp.expires = NOW + timedelta(days=2)
    repository.publish_timestamp()
    later = repository.copy("later")
    repository.timestamp.expires = NOW + timedelta(days=5)
    repository.publish_timestamp()
    assert board.counter(repository.folder, now=NOW + timedelta(days=3)) == 1
    for name in ("metadata/timestamp.json", "metadata/snapshot.json"):
        lost(board.kept()[name])

    with pytest.raises(Untrusted, match="older than"):
        board.ask(later, now=NOW - timedelta(days=9000))
    repository.timestamp.expires = NOW + timedelta(days=2)
    repository.publish_timestamp()
    with pytest.raises(Untrusted, match=r"timestamp expired .* and it cannot be before"):
        board.ask(repository.folder, now=NOW - timedelta(days=9000))


def test_a_clock_that_stopped_before_the_firmware_was_built_is_of_no_use(
    tmp_path: Path, repository: SimulatedRepository
) -> None:
    board = Board(tmp_path / "new", repository.first_root)
    board.built = EXPIRES + timedelta(days=1)

    with pytest.raises(Untrusted, match=r"root expired on .*, and it cannot be before"):
        board.ask(repository.folder, now=NOW - timedelta(days=9000))


def test_without_the_clock_floor_the_clock_is_believed(board: Board, repository: SimulatedRepository) -> None:
    repository.timestamp.expires = EXPIRES + timedelta(days=100)
    board.counter(repository.folder, now=NOW + timedelta(days=9))

    trust = board.trust(clock_floor=False)

    assert trust.release(Folder(repository.folder), "stable", MODEL, NOW - timedelta(days=9000)) is not None


def test_a_clock_set_forward_is_named_and_leaves_no_trace(board: Board, repository: SimulatedRepository) -> None:
    with pytest.raises(Untrusted, match=r"root expired on .*: this board's clock says .* Check the clock by `date`"):
        board.ask(repository.folder, now=NOW + timedelta(days=9000))

    assert board.counter(repository.folder) == 1


# keys were stolen, and exchanged since


def test_versions_driven_up_by_stolen_online_keys_are_forgotten_with_the_keys(
    board: Board, repository: SimulatedRepository
) -> None:
    versions = repository.timestamp.version, repository.snapshot.version
    repository.timestamp.version = repository.snapshot.version = 1_000_000
    repository.publish_online()
    assert board.counter(repository.folder) == 1

    repository.timestamp.version, repository.snapshot.version = versions
    repository.publish_online()
    with pytest.raises(Untrusted, match="1000001"):
        board.ask(repository.folder)
    for role in ("timestamp", "snapshot"):
        repository.exchange_keys(role)
    repository.publish("root")
    assert board.counter(repository.folder) == 1


@pytest.mark.parametrize("damaged", [True, False], ids=["metadata lost", "metadata there"])
def test_a_channel_driven_up_by_stolen_keys_is_believed_again_with_new_keys(
    board: Board, repository: SimulatedRepository, damaged: bool
) -> None:
    version = repository.targets["stable"].version
    repository.targets["stable"].version = 1_000_000
    repository.offer(1_000_000)
    assert board.counter(repository.folder) == 1_000_000

    if damaged:
        for name in ("timestamp", "snapshot", "stable"):
            lost(board.kept()[f"metadata/{name}.json"])
    repository.targets["stable"].version = version
    repository.exchange_keys("stable", by="targets")
    repository.exchange_keys("snapshot")
    repository.exchange_keys("timestamp")
    repository.publish("root", "targets")
    repository.offer(2)

    assert board.counter(repository.folder) == 2


def test_a_channel_may_count_anew_once_the_keys_of_the_snapshot_were_exchanged(
    board: Board, repository: SimulatedRepository
) -> None:
    version = repository.targets["stable"].version
    repository.targets["stable"].version = 1_000_000
    repository.publish("stable")
    assert board.counter(repository.folder) == 1

    repository.targets["stable"].version = version
    repository.exchange_keys("snapshot")
    repository.publish("root", "stable")

    assert board.counter(repository.folder) == 1
    assert repository.targets["stable"].version == version + 1


def test_a_key_more_forgets_nothing(board: Board, repository: SimulatedRepository) -> None:
    old = repository.copy("old")
    repository.publish_timestamp()
    assert board.counter(repository.folder) == 1
    repository.root.add_key(repository.new_key().public_key, "timestamp")
    repository.publish("root")
    (old / "metadata" / "2.root.json").write_bytes(repository.path("root", 2).read_bytes())
    lost(board.kept()["metadata/timestamp.json"])

    with pytest.raises(Untrusted, match="timestamp: version"):
        board.ask(old)


# the network


def endless(handler: Request, _: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"{" * 10_000)


def test_endless_data_is_cut_off(board: Board, repository: SimulatedRepository) -> None:
    with visit(repository, {TIMESTAMP: endless}) as web, pytest.raises(Untrusted, match="more than the 4000 bytes"):
        board.ask(web)


def test_a_length_that_metadata_promises_raises_no_limit(board: Board, repository: SimulatedRepository) -> None:
    repository.next_version("snapshot", repository.snapshot)
    repository.timestamp.snapshot_meta = MetaFile(repository.snapshot.version, length=10**12)
    repository.publish_timestamp()
    with repository.path("snapshot", repository.snapshot.version).open("wb") as file:
        file.truncate(10**12)  # sparse

    with pytest.raises(Untrusted, match="more than the 20000 bytes"):
        board.ask(repository.folder)


def trickle(content: bytes) -> Behaviour:
    def answer(handler: Request, _: bytes) -> None:
        for byte in content * 1000:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.01)

    return answer


def silent(handler: Request, _: bytes) -> None:
    handler.connection.recv(1)  # until the other side hangs up


SLOW: dict[str, tuple[Behaviour, dict[str, float], str]] = {
    "a body": (trickle(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(4000)), {"deadline_s": 0.5}, "within 0.5 s"),
    "headers": (trickle(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 4000), {"deadline_s": 0.5}, "within 0.5 s"),
    "a rate": (trickle(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(4000)), {"window_s": 0.3}, "less than 500 bytes a second"),
    "silence": (silent, {"silence_s": 0.2}, "no answer"),
}


@pytest.mark.parametrize(("answer", "pace", "problem"), SLOW.values(), ids=SLOW)
def test_a_slow_repository_is_given_up(
    board: Board, repository: SimulatedRepository, answer: Behaviour, pace: dict[str, float], problem: str
) -> None:
    begun = time.monotonic()
    with visit(repository, {TIMESTAMP: answer}, **pace) as web, pytest.raises(Unreachable, match=problem):
        board.ask(web)
    assert time.monotonic() - begun < 5


def hang_up(handler: Request, _: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def fail(status: int) -> Behaviour:
    return lambda handler, _: handler.send_error(status)


def cut_short(handler: Request, _: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "400")
    handler.end_headers()
    handler.wfile.write(b"{}")


def sent_on(location: str | None) -> Behaviour:
    def answer(handler: Request, _: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", location or handler.path)
        handler.send_header("Connection", "close")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


DROPPED: dict[str, tuple[Behaviour, str]] = {
    "a connection": (hang_up, "no answer"),
    "a file": (fail(404), "is not there"),
    "with an error": (fail(500), "the server answers 500"),
    "the rest": (cut_short, "ended early"),
    "in a circle": (sent_on(None), f"more than {MAX_REDIRECTS} redirects"),
    "to nowhere": (sent_on("http://["), "no address of a web server"),
    "to a file": (sent_on("file:///etc/passwd"), "no address of a web server"),
}


@pytest.mark.parametrize("path", [TIMESTAMP, "/metadata/4.snapshot.json", "/metadata/3.stable.json"])
@pytest.mark.parametrize(("answer", "problem"), DROPPED.values(), ids=DROPPED)
def test_a_dropped_request_leaves_what_there_is(
    board: Board, repository: SimulatedRepository, path: str, answer: Behaviour, problem: str
) -> None:
    repository.offer(2)
    repository.publish_timestamp()
    path = path.replace("4", str(repository.snapshot.version))
    with visit(repository, {path: answer}) as web, pytest.raises(Unreachable, match=problem):
        board.ask(web)

    assert board.counter(repository.folder) == 2


# the stick


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    os.truncate(path, 1 << 40)


def page(path: Path) -> None:
    path.write_text("<html>log in</html>")


def nested(path: Path) -> None:
    path.write_text("[" * 3000)


def list_of_nothing(path: Path) -> None:
    path.write_text("[]")


def field_of_another_kind(path: Path) -> None:
    document = json.loads(path.read_bytes())
    document["signed"]["version"] = [1.5]
    path.write_text(json.dumps(document))


ODD = [pipe, device, huge, page, nested, list_of_nothing, field_of_another_kind]


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "stable"])
@pytest.mark.parametrize("make_odd", ODD)
def test_odd_files_end_in_words(
    board: Board, repository: SimulatedRepository, role: str, make_odd: Callable[[Path], None]
) -> None:
    repository.publish("root")
    repository.offer(2)
    signed = {"root": repository.root, "timestamp": repository.timestamp, "snapshot": repository.snapshot}
    make_odd(repository.path(role, (signed.get(role) or repository.targets[role]).version))

    with pytest.raises(OtaError) as raised:
        board.ask(repository.folder)
    assert raised.value.problem
    assert raised.value.remedy


@pytest.mark.parametrize("make_odd", [pipe, device])
def test_what_is_no_plain_file_is_not_read(
    board: Board, repository: SimulatedRepository, make_odd: Callable[[Path], None]
) -> None:
    make_odd(repository.path("timestamp", 0))

    with pytest.raises(Unreachable, match="not a plain file"):
        board.ask(repository.folder)
