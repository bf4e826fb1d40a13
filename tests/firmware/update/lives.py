"""The whole firmware as a process, on a simulated board that follows a channel: its lives, and what each left."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from firmware.local.door import NAME, Unreachable, ask
from firmware.run import SIMULATED_BOARD
from ota.slot_states import HOLDING, Record, SlotName
from ota.slots import FILE, Saved
from tests.firmware.update.site import newer
from tests.ota.repository import MODEL, SimulatedRepository
from tests.ota.web_server import Request, WebServer, ranges

LIMIT_S = 120.0
FIRMWARE = ("firmware",)
UPDATE = """
[latency]
budget = "5s"  # on a machine that does other things, too
[update]
root = "{root}"
repository = "{repository}"
http = true
every = "{every}"
bytes_per_s = 600_000
trial_pictures = 6
trial_at_least = "0s"
probation_pictures = 6
"""
ALWAYS = ("metadata/", "floors.", "spent.json", "lock")
CANDIDATE = b"firmware.update.candidate"

Event = dict[str, Any]


class Site:
    """A repository on a web server, with one release for boards; each board's folder is in `folder`."""

    def __init__(self, folder: Path, server: WebServer, *, every: str = "1min") -> None:
        self.folder, self.server = folder, server
        self.content = newer(latency_budget_ms={"any": 5000})
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        repository = SimulatedRepository(folder / "repository")
        path = f"stable/{MODEL}.tar"
        described = {"model": MODEL, "version": "9.0", "release_counter": 9, "hardware": ["any"]}
        repository.put("stable", path, self.content, described)
        repository.publish("stable")
        server.folder = repository.folder
        server.files[f"/targets/stable/{self.sha256}.{MODEL}.tar"] = self.content
        root = folder / "root.json"
        root.write_bytes(repository.first_root)
        board = SIMULATED_BOARD.read_text().replace(
            'period = "2s"\nsettle = "300ms"', 'period = "500ms"\nsettle = "0s"'
        )
        self.config = folder / "board.toml"
        self.config.write_text(board + UPDATE.format(root=root, repository=server.address, every=every))

    @contextmanager
    def held(self) -> Iterator[threading.Event]:
        """Set when somebody asks for the timestamp, who gets no answer as long as this lasts."""
        asked, over = threading.Event(), threading.Event()

        def hold(request: Request, content: bytes) -> None:
            asked.set()
            over.wait(LIMIT_S)
            ranges(request, content)

        self.server.answers["/metadata/timestamp.json"] = hold
        try:
            yield asked
        finally:
            del self.server.answers["/metadata/timestamp.json"]
            over.set()


class Life:
    """A process, from its start to its end. `heard` are its events as far as somebody read them."""

    def __init__(self, site: Site, data: Path, program: Sequence[str] = FIRMWARE) -> None:
        self.data = data
        self.heard: list[Event] = []
        scratch = data.with_name(f"{data.name}.tmp")
        scratch.mkdir(exist_ok=True)
        command = [sys.executable, "-m", *program, "run", "--events", "-", "--config", str(site.config)]
        with data.with_name(f"{data.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--data", str(data)],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "TMPDIR": str(scratch)},
            )
        self._hang = threading.Timer(LIMIT_S, self.process.kill)

    def __enter__(self) -> Self:
        self._hang.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Killed, if it has not ended by itself; what it said until then is heard."""
        self._hang.cancel()
        with self.process:
            self.process.kill()
            assert self.process.stdout is not None
            self.heard += [json.loads(line) for line in self.process.stdout if line.endswith(b"\n")]

    def until(self, kind: str, **fields: Any) -> Event:
        """The next event of this kind with these fields."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: Event = json.loads(line)
            self.heard.append(event)
            if event["type"] == kind and fields.items() <= event.items():
                return event
        raise AssertionError(f"no {kind} with {fields} until its end; it said {self.steps}")

    def asked(self, **request: Any) -> dict[str, Any]:
        """Its reply at its socket. Raises `Unreachable` while it starts, or begins anew."""
        reply: dict[str, Any] = json.loads(ask(self.data / NAME, json.dumps(request).encode()))
        return reply

    def until_it_does(self, what: str, *, here: int = 0) -> None:
        """By its own word, asked at its socket after each verdict."""
        while not self._does(what, here):
            self.until("verdict")

    def _does(self, what: str, here: int) -> bool:
        try:
            status = self.asked(command="update")
        except Unreachable:
            return False
        return bool(status["doing"] == what and status["here"] >= here)

    def ended_by_itself(self) -> int:
        """The signal that killed it."""
        assert self.process.stdout is not None
        self.heard += [json.loads(line) for line in self.process.stdout if line.endswith(b"\n")]
        return -self.process.wait(LIMIT_S)

    def candidate(self) -> int:
        """The process of the model on trial: once there is one."""
        while not (found := candidates(self.data)):
            self.until("verdict")
        (one,) = found
        return one

    @property
    def steps(self) -> list[str]:
        return [event["step"] for event in self.heard if event["type"] == "update" and event["step"] != "fetching"]

    @property
    def verdicts(self) -> list[Event]:
        return [event for event in self.heard if event["type"] == "verdict"]

    @property
    def counted(self) -> set[str]:
        """Versions of models that gave verdicts."""
        return {event["model"]["version"] for event in self.verdicts}


@dataclass(frozen=True, slots=True)
class Left:
    """What a life left: a copy of its data directory, and that life."""

    data: Path
    life: Life

    @property
    def record(self) -> Record:
        return record_in(self.data)

    @property
    def files(self) -> set[str]:
        """Below ota/, without what never grows in number: trusted metadata, the bytes of the day, the lock."""
        folder = self.data / "ota"
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        return {name for name in found if not name.startswith(ALWAYS)}


def record_in(data: Path) -> Record:
    path = data / "ota" / FILE
    return msgspec.json.decode(path.read_bytes(), type=Saved).record if path.exists() else Record()


def proved(data: Path, site: Site) -> bool:
    """Whether each slot that the record names has the bytes that were signed, and no other model is named."""
    record = record_in(data)
    held = [name for name in SlotName if record[name].state in HOLDING]
    tars = [(data / "ota" / "slots" / f"{name.value}.tar").read_bytes() for name in held]
    return all(tar == site.content for tar in tars)


def candidates(data: Path) -> list[int]:
    """Processes of models on trial of the board whose data are there."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
            if CANDIDATE in words and str(data).encode() + b"/" in words:
                found.append(int(entry.name))
    return found


def until_gone(pid: int) -> None:
    """Wait for the end of a process that is no child of ours."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            ended, _, _ = select.select([handle], [], [], LIMIT_S)
        finally:
            os.close(handle)
        assert ended, f"process {pid} lives on"


@dataclass
class Story:
    """One board in all states of one update: in each it is killed, and its next life goes on from what that left.

    A test that asks for a later death gets those before as well: they are made once.
    """

    site: Site
    name: str = "board"
    left: list[Left] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.site.folder / self.name

    def killed(self, when: str) -> tuple[Left, Life]:
        """What it left when it was killed like that, and its next life, which was killed or ended, too."""
        index = list(DEATHS).index(when)
        while len(self.left) < index + 2:
            self._live(list(DEATHS)[len(self.left)])
        return self.left[index], self.left[index + 1].life

    def _live(self, until: str) -> None:
        program, wait = DEATHS[until]
        with Life(self.site, self.data, program) as life:
            wait(life, self.site)
        for pid in candidates(self.data):
            until_gone(pid)
        copy = self.data.with_name(f"{self.name}-{until}")
        shutil.copytree(self.data, copy, ignore=shutil.ignore_patterns(NAME))
        self.left.append(Left(copy, life))

    def board_left(self, when: str, name: str) -> Path:
        """Another board with what this one left."""
        left, _ = self.killed(when)
        return Path(shutil.copytree(left.data, self.site.folder / name))


def _asking(life: Life, site: Site) -> None:
    with site.held() as asked:
        assert asked.wait(LIMIT_S)
        life.process.kill()


def _examining(life: Life, _: Site) -> None:
    life.until_it_does("examining")
    candidate = life.candidate()
    for _number in range(4):  # of snapshots that were taken meanwhile
        life.until("verdict")
    os.kill(candidate, signal.SIGSTOP)  # so it would hang for ever, did it not end with its firmware


def _amid(life: Life, _: Site) -> None:
    assert life.ended_by_itself() == signal.SIGKILL


AMID = "tests.firmware.update.killed_amid"
DEATHS: dict[str, tuple[Sequence[str], Callable[[Life, Site], object]]] = {
    "asking": (FIRMWARE, _asking),
    "fetching": (FIRMWARE, lambda life, _: life.until("update", step="fetching")),
    "staged": (FIRMWARE, lambda life, _: life.until("update", step="staged")),
    "examining": (FIRMWARE, _examining),
    "trial": (FIRMWARE, lambda life, _: (life.until("update", step="trial"), life.until("verdict"))),
    "before the slots are renamed": ((AMID, "rename"), _amid),
    "after the slots are renamed": ((AMID, "sync"), _amid),
    "probation": (FIRMWARE, lambda life, _: life.until("verdict")),
    "kept": (FIRMWARE, lambda life, _: life.until("update", step="kept")),
}
"""How each life ends, in order: what is run, and what is waited for before it is killed."""
