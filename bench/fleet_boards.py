"""`python -m bench.fleet_boards`: many boards in a process, an MQTT connection each.

It is told by lines of JSON: first its `Task`, then one `Order` after the other. Each is answered by a line, the `Tally`
since the one before.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import msgspec

from bench.fleet_board import PREFIX, Board, Install, Later, Say, Settled, Step, Withdrawn
from bench.fleet_http import NOT_FOUND, OK, Failed, Visit
from bench.fleet_mqtt import Link, connect
from bench.fleet_release import BEFORE
from bench.fleet_tally import Tally
from bench.fleet_trust import Beliefs, Files, Looked
from bench.fleet_wire import Carried
from firmware.update.board_facts import facts
from firmware.update.schedule import pause_s
from model.manifest import Manifest, parse_manifest
from model.selftest import Answers
from ota.bundle import open_bundle
from ota.delta.apply import apply
from ota.job_messages import Publication
from ota.repository import stored_at
from ota.slot_states import Shipped
from ota.types import Release, Target

AT_ONCE = 50  # connections that are being opened, and visits to the web server
PATIENCE_S = 10.0  # until something is said again, and twice as long each further time
LOOK_S = 1.0
WHOLE_EACH = 10  # each tenth board has no base that a delta starts from, and fetches the whole
LATENCY_BUDGET_MS = 150.0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Boards `first` to `first + count - 1`.

    By the releases' names: `repositories` are the folders after each publishing, `bundles` what was published,
    `examined` what came of examining it. `examined_s`: for how long a board does that.
    """

    first: int
    count: int
    broker_port: int
    web_port: int
    root: bytes
    repositories: Mapping[str, Path]
    bundles: Mapping[str, Path]
    examined: Mapping[str, Answers]
    scratch: Path
    examined_s: float


class What(Enum):
    CONNECT = "connect"  # all boards, and each asks for its job
    POLL = "poll"  # each board once, within one and a half of `period_s`
    EXPECT = "expect"  # from now on the repository offers `release`
    TELL = "tell"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    what: What
    period_s: float = 0.0
    release: str = ""


@dataclass(slots=True)
class Place:
    """A board where it is simulated."""

    board: Board
    link: Link
    beginning: asyncio.TimerHandle | None = None
    said_s: float = 0.0
    repeats: int = 0


class Boards:
    def __init__(self, task: Task, group: asyncio.TaskGroup) -> None:
        self._task, self._group = task, group
        self._loop = asyncio.get_running_loop()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._tally = Tally()
        self._carried_before = Carried()
        self._beliefs = Beliefs(task.root, task.scratch)
        known = self._beliefs.looked(task.repositories[BEFORE])
        self._looked = self._beliefs.looked(task.repositories[BEFORE], known.after)
        self._manifests = {name: _manifest(path) for name, path in task.bundles.items()}
        self._release = BEFORE
        self._whole: dict[str, bytes] = {known.release.target.sha256: self._stored(known.release)}
        self._places = [self._place(number, known.release) for number in range(task.first, task.first + task.count)]

    async def obey(self, order: Order) -> Tally:
        match order.what:
            case What.CONNECT:
                await asyncio.gather(*(self._connect(place) for place in self._places))
                self._group.create_task(self._look_after())
            case What.POLL:
                await asyncio.gather(*(self._poll(place, order.period_s) for place in self._places))
            case What.EXPECT:
                self._release = order.release
                repository = self._task.repositories[order.release]
                self._looked = self._beliefs.looked(repository, self._looked.after)
        return self._told()

    def _place(self, number: int, before: Release) -> Place:
        board = Board(
            f"duct-{number}",
            before,
            facts(latency_budget_ms=LATENCY_BUDGET_MS, named=None),
            shipped=Shipped(model=before.model, counter=0),
            deltas=number % WHOLE_EACH != WHOLE_EACH - 1,
        )
        place = Place(board, Link(lambda topic, payload: self._heard(place, topic, payload)))
        return place

    async def _connect(self, place: Place) -> None:
        topic = f"{PREFIX}/{place.board.name}/availability"
        async with self._free:
            hello = connect(f"{PREFIX}-{place.board.name}", topic, b"offline")
            await place.link.open(self._task.broker_port, hello, place.board.jobs.subscriptions)
        place.link.publish(topic, b"online", retain=True)
        self._tally.message(self._loop.time(), b"online")
        self._say(place, place.board.jobs.next())

    async def _poll(self, place: Place, period_s: float) -> None:
        await asyncio.sleep(pause_s(period_s, 0, place.board.chance()))
        self._beliefs.believe(self._looked, await self._visited(self._looked))

    def _heard(self, place: Place, topic: str, payload: bytes) -> None:
        now_s = self._loop.time()
        self._tally.message(now_s, payload)
        self._follow(place, place.board.heard(topic, payload, time.time()))

    def _follow(self, place: Place, step: Step | None) -> None:
        match step:
            case Say(publication):
                self._say(place, publication)
            case Later(after_s):
                if place.beginning is not None:
                    place.beginning.cancel()
                place.beginning = self._loop.call_later(after_s, self._look, place)
            case Withdrawn() if place.beginning is not None:
                place.beginning.cancel()
            case Install():
                self._group.create_task(self._install(place))
            case Settled(status):
                self._tally.settled(self._loop.time(), "lost" if status is None else status.value)

    def _look(self, place: Place) -> None:
        self._follow(place, place.board.looked(time.time()))

    async def _install(self, place: Place) -> None:
        looked = self._looked
        release = self._beliefs.believe(looked, await self._visited(looked))
        target = place.board.wanted(release)
        self._prove(release, target, await self._fetched(target))
        self._tally.got += 1
        await asyncio.sleep(self._task.examined_s)
        manifest, golden = self._manifests[self._release], self._task.examined[self._release]
        place.board.installed(release, manifest, golden, time.time())
        self._look(place)

    async def _visited(self, looked: Looked) -> Files:
        files: dict[str, bytes | None] = {}
        async with self._free, Visit(self._task.web_port) as visit:
            for name in looked.names:
                answer = await visit.get(f"/{name}")
                self._tally.request(self._loop.time(), answer.body)
                files[name] = None if answer.status == NOT_FOUND else answer.body
        self._tally.body_carried += visit.carried
        return files

    async def _fetched(self, target: Target) -> bytes:
        async with self._free, Visit(self._task.web_port) as visit:
            answer = await visit.get(f"/{stored_at(target)}")
            self._tally.request(self._loop.time(), answer.body)
        self._tally.body_carried += visit.carried
        if answer.status != OK or len(answer.body) != target.length:
            raise Failed(f"{target.path}: {answer.status} with {len(answer.body)} bytes")
        return answer.body

    def _prove(self, release: Release, target: Target, content: bytes) -> None:
        """Each board hashes what it has fetched. What a delta makes of a base is the same for all: it is made once."""
        assert hashlib.sha256(content).hexdigest() == target.sha256
        if target != release.target and release.target.sha256 not in self._whole:
            (base,) = (one.base for one in release.deltas if one.target == target)
            content = apply(self._whole[base], content, limit_bytes=release.target.length)
            assert hashlib.sha256(content).hexdigest() == release.target.sha256
        self._whole.setdefault(release.target.sha256, content)

    def _say(self, place: Place, publication: Publication) -> None:
        place.said_s, place.repeats = self._loop.time(), 0
        self._publish(place, publication)

    def _publish(self, place: Place, publication: Publication) -> None:
        place.link.publish(publication.topic, publication.payload)
        self._tally.message(self._loop.time(), publication.payload)

    async def _look_after(self) -> None:
        """Keep connections alive, and say again what nobody answered."""
        while True:
            await asyncio.sleep(LOOK_S)
            now_s = self._loop.time()
            for place in self._places:
                place.link.keep_alive()
                unanswered = place.board.jobs.unanswered
                if unanswered is not None and now_s - place.said_s >= PATIENCE_S * 2**place.repeats:
                    place.said_s, place.repeats = now_s, place.repeats + 1
                    self._tally.repeats += 1
                    self._publish(place, unanswered)

    def _told(self) -> Tally:
        carried = sum((place.link.carried for place in self._places), Carried())
        told = replace(self._tally, boards=len(self._places), message_carried=carried - self._carried_before)
        self._carried_before, self._tally = carried, Tally()
        return told

    def _stored(self, release: Release) -> bytes:
        return (self._task.repositories[BEFORE] / stored_at(release.target)).read_bytes()

    def close(self) -> None:
        for place in self._places:
            place.link.close()


def _manifest(path: Path) -> Manifest:
    return parse_manifest(open_bundle(path).manifest)


async def main() -> None:
    lines = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    task = msgspec.json.decode(await lines.readline(), type=Task, dec_hook=_decoded)
    async with asyncio.TaskGroup() as group:
        boards = Boards(task, group)
        while line := await lines.readline():
            tally = await boards.obey(msgspec.json.decode(line, type=Order))
            sys.stdout.buffer.write(msgspec.json.encode(tally) + b"\n")
            sys.stdout.buffer.flush()
        boards.close()
        raise SystemExit


def _decoded(kind: type, value: object) -> object:
    return kind(value)


if __name__ == "__main__":
    asyncio.run(main())
