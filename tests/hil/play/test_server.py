"""The page's server against a whole bench, without a board: what is set arrives, what is shown is true."""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hil.bench import Bench
from hil.play.controls import CONTROLS, Rig
from hil.play.journal import Journal
from hil.play.playground import Phase, Playground, phase
from hil.play.server import serving
from hil.rig.camera import CameraFault
from hil.rig.lines import Line
from hil.rig.pictures import BARS, DIRTY

pytestmark = pytest.mark.real

LIMIT_S = 30.0


@dataclass
class NotedBoard:
    """No board: what was done to it."""

    done: list[str] = field(default_factory=list)

    def power(self, on: bool) -> None:
        self.done.append(f"power {on}")

    def cable(self, plugged: bool) -> None:
        self.done.append(f"cable {plugged}")


@dataclass(frozen=True)
class Page:
    """What a browser does."""

    port: int
    bench: Bench
    board: NotedBoard

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        return self._ask("POST", f"/api/{path}", body, {"Content-Type": "application/json", **headers})

    def set(self, name: str, value: Any) -> tuple[int, bytes]:
        return self.post("set", json.dumps({"name": name, "value": value}).encode())

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.get("/api/state")[1])
        return state

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="rig-") as folder, Bench(Path(folder)) as bench:
        yield bench


@pytest.fixture
def page(bench: Bench) -> Iterator[Page]:
    board = NotedBoard()
    with Journal(["true"], lambda: False) as journal:
        playground = Playground(Rig(bench, board), journal)
        ended = threading.Event()
        following = threading.Thread(target=follow, args=(playground, ended))
        following.start()
        with serving(playground, 0) as address:
            yield Page(int(address.rstrip("/").rpartition(":")[2]), bench, board)
        ended.set()
        following.join()
        playground.mend()


def follow(playground: Playground, ended: threading.Event) -> None:
    while not ended.is_set():
        playground.follow()


def test_the_page_and_its_controls_are_there(page: Page) -> None:
    status, html = page.get("/")

    assert (status, html[:15]) == (200, b"<!doctype html>")
    assert len(json.loads(page.get("/api/controls")[1])["controls"]) == len(CONTROLS)


def test_what_is_set_arrives_at_the_hardware(page: Page) -> None:
    answers = [
        page.set("upstream.scene", "dirty"),
        page.set("downstream.fault", "FROZEN"),
        page.set("downstream.plugged", False),
        page.set("air.temperature", 31.5),
        page.set("air.pm2_5", 160),
        page.set("fan", True),
    ]
    peers = page.bench.peers

    assert {status for status, _ in answers} == {200}
    assert peers.cameras["upstream"].scene is DIRTY
    assert peers.cameras["downstream"].fault is CameraFault.FROZEN
    assert not peers.camera_ports["downstream"].plugged
    assert peers.air.temperature == 31.5
    assert peers.dust.values[1] == peers.fine_dust.values[1] == 160
    assert page.bench.lines.level(Line.FAN) is False  # its contact closes to ground
    assert page.state["settings"]["upstream.scene"] == "dirty"


def test_mend_makes_all_whole_but_gives_no_power(page: Page) -> None:
    page.set("upstream.scene", "bars")
    page.set("network", False)
    page.set("air.humidity", 90)
    assert page.bench.peers.cameras["upstream"].scene is BARS

    assert page.post("mend", b"{}")[0] == 200
    assert page.state["settings"] == {name: control.start for name, control in CONTROLS.items()} | {"power": False}
    assert page.board.done == ["cable False", "cable True"]


def test_power_is_given_and_cut_once_each(page: Page) -> None:
    for on in (True, True, False):
        assert page.set("power", on)[0] == 200

    assert page.board.done == ["power True", "power False"]
    assert page.state["phase"] == "off"


def test_a_press_of_the_button_is_one_contact(page: Page) -> None:
    before = len(page.bench.lines.edges)
    assert page.post("press", b'{"name": "button"}')[0] == 200

    assert [(edge.line, edge.level) for edge in page.bench.lines.edges[before:]] == [
        (Line.BUTTON, False),
        (Line.BUTTON, True),
    ]


def test_what_the_board_sends_to_the_broker_is_shown(page: Page) -> None:
    verdict = {"type": "verdict", "source": "upstream", "label": "DIRTY", "score": 0.9, "reasons": [], "latency_ms": 80}
    mark = page.bench.messages.mark()
    page.bench.broker.send("ductwatch/rig/verdict/upstream", json.dumps(verdict).encode())
    page.bench.messages.until(lambda message: message.topic.endswith("upstream"), since=mark, limit_s=LIMIT_S)
    until_shown = (page.state["verdicts"] for _ in range(1000))

    assert next(shown for shown in until_shown if shown)["upstream"]["label"] == "DIRTY"


def test_a_command_while_the_broker_is_gone_is_refused_and_says_why(page: Page) -> None:
    page.set("broker", False)
    status, said = page.post("press", b'{"name": "snapshot"}')

    assert status == 409
    assert "refused" in json.loads(said)["error"]


def test_a_thumbnail_is_a_picture_of_the_scene(page: Page) -> None:
    status, picture = page.get("/scene/bars.jpg")

    assert (status, picture[:2]) == (200, b"\xff\xd8")
    assert page.get("/scene/attic.jpg")[0] == 404


@pytest.mark.parametrize(
    ("action", "body", "said"),
    [
        ("set", b'{"name": "air.temperature", "value": 900}', "use -40 to 85 \u00b0C"),
        ("set", b'{"name": "attic", "value": 1}', "attic"),
        ("press", b'{"name": "attic"}', "attic"),
        ("press", b'["button"]', "use set with"),
        ("attic", b"{}", "use set with"),
        ("set", b"{", "Expecting"),
        ("set", b"\xff", "decode"),
    ],
)
def test_a_wrong_request_says_what_is_right(page: Page, action: str, body: bytes, said: str) -> None:
    status, answer = page.post(action, body)

    assert status == 400
    assert said in json.loads(answer)["error"]


def test_another_sites_page_can_do_nothing_here(page: Page) -> None:
    body = b'{"name": "power", "value": true}'

    assert page.get("/api/state", Host="attacker.example:80")[0] == 403
    assert page.post("set", body, Host="attacker.example")[0] == 403
    assert page.post("set", body, **{"Content-Type": "text/plain"})[0] == 403
    assert page.board.done == []


def test_a_request_without_end_is_not_read(page: Page) -> None:
    assert page.post("set", b" " * 5000)[0] == 413


@pytest.mark.parametrize(
    ("power", "reached", "verdict_at_s", "expected"),
    [
        (False, False, None, Phase.OFF),
        (False, True, 11.0, Phase.OFF),
        (True, False, None, Phase.STARTING),
        (True, False, 9.0, Phase.STARTING),
        (True, True, 10.5, Phase.SILENT),
        (True, True, None, Phase.STARTED),
        (True, True, 11.0, Phase.WATCHING),
        (True, False, 11.0, Phase.WATCHING),
    ],
    ids=[
        "off",
        "cut",
        "just on",
        "a verdict before the cut",
        "no verdict for long",
        "ssh answers",
        "judging",
        "judging, ssh not yet",
    ],
)
def test_how_far_a_board_has_come(expected: Phase, verdict_at_s: float | None, *, power: bool, reached: bool) -> None:
    assert phase(power=power, reached=reached, verdict_at_s=verdict_at_s, power_at_s=10.0, now_s=30.5) is expected
