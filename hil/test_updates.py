"""A new model comes to the board from a web server, through power cuts; a technician goes back, and takes another."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hil.bench import Bench
from hil.board import Board
from hil.heard import TOPIC
from hil.models import SHIPPED, Publisher
from hil.ready import READY_LIMIT_S, Ready
from hil.report import Report
from hil.rig.peers import CAMERAS
from hil.strategy import State

pytestmark = pytest.mark.lg_feature(["broker", "power"])

CONFIGURATION, BEFORE = "/boot/firmware/ductwatch.toml", "/data/before-updates.toml"
ROOT, STICK = "/data/root.json", "/data/stick"
OTA = "/data/ductwatch/ota"
UPDATE = f"""
[update]
root = "{ROOT}"
repository = "$address"
http = true
every = "1min"
bytes_per_s = 40_000  # half a minute, and some seconds from the first part that is synced to the end
trial_pictures = 6
trial_at_least = "0s"
probation_pictures = 6
"""
SYNCED_BYTES = 1024 * 1024  # of a download, what outlives a power cut: ota.download.SYNC_BYTES
DOWNLOAD_LIMIT_S = 240.0  # with up to 90 s until it asks
TRIAL_LIMIT_S = 300.0  # Python starts in some 10 s, then two models, golden pictures, up to a minute of timed ones
RELOAD_LIMIT_S = 180.0


@dataclass(frozen=True, slots=True)
class Following:
    """A board that follows the channel of a publisher beside the bench, since the mark `since`."""

    ready: Ready
    publisher: Publisher
    release: str
    since: int

    def until(self, step: str, *, since: int, limit_s: float, not_of: str = "") -> dict[str, Any]:
        """The event of this step, of another start of the firmware than `not_of`."""
        return self._until("update", lambda told: told["step"] == step and told["boot_id"] != not_of, since, limit_s)

    def until_it_counts(self, version: str, *, since: int) -> None:
        """Both cameras' verdicts are that model's."""
        for camera in CAMERAS:
            self._until(
                f"verdict/{camera}", lambda told: told["model"]["version"] == version, since, limit_s=RELOAD_LIMIT_S
            )

    def cut_power(self) -> None:
        self.ready.machine.transition(State.off)
        self.ready.machine.transition(State.watching)

    def _until(self, topic: str, fits: Callable[[dict[str, Any]], bool], since: int, limit_s: float) -> dict[str, Any]:
        found = self.ready.bench.messages.until(
            lambda message: message.topic == f"{TOPIC}/{topic}" and fits(message.fields), since=since, limit_s=limit_s
        )
        fields: dict[str, Any] = found.fields
        return fields


@pytest.fixture(scope="module")
def following(machine: Any, bench: Bench) -> Iterator[Following]:
    ready, publisher = Ready(machine, bench, Board(machine.shell)), Publisher(bench)
    ready.reach(READY_LIMIT_S)
    board, added = ready.board, UPDATE.replace("$address", publisher.address)
    release = publisher.publish("9.0", 9)
    publisher.serve()
    try:
        board.run(f"cp {CONFIGURATION} {BEFORE} && sync -f {BEFORE}")
        board.run(f"printf %s {shlex.quote(publisher.root)} > {ROOT} && chmod 644 {ROOT} && sync -f {ROOT}")
        board.run(on_boot_partition(f"printf %s {shlex.quote(added)} >> {CONFIGURATION}"))
        since = ready.mark()
        board.run("systemctl reload ductwatch.service", 90)
        yield Following(ready, publisher, release, since)
    finally:
        machine.transition(State.watching)
        board.run("systemctl stop ductwatch.service", 90)
        board.run(f"rm -rf {OTA} {STICK} {STICK}.tar {ROOT}")
        board.run(on_boot_partition(f"cp {BEFORE} {CONFIGURATION}"))
        board.run("systemctl start ductwatch.service", 90)


def on_boot_partition(command: str) -> str:
    """What it writes there is on the disk, and the partition read-only again: a power cut may follow."""
    writable = "mount -o remount,rw /boot/firmware"
    return f"{writable} && {command} && sync -f {CONFIGURATION} && mount -o remount,ro /boot/firmware"


def size(board: Board, pattern: str) -> int:
    """Bytes of a file there; 0 where there is none."""
    return int(board.run(f"stat -c %s {pattern} 2>/dev/null || echo 0"))


def test_a_release_comes_through_power_cuts_in_its_download_and_in_its_trial(
    following: Following, report: Report
) -> None:
    ready, board = following.ready, following.ready.board
    boot = following.until("found", since=following.since, limit_s=DOWNLOAD_LIMIT_S)["boot_id"]
    board.until(
        lambda: size(board, f"{OTA}/part/*.part") >= SYNCED_BYTES, "a part that outlives a cut", DOWNLOAD_LIMIT_S
    )
    mark = ready.mark()
    following.cut_power()

    kept = following.until("fetching", since=mark, limit_s=DOWNLOAD_LIMIT_S, not_of=boot)["figures"]["here_bytes"]
    report.figure("of a download, what outlived a power cut", kept / 1024, "KiB")
    assert kept >= SYNCED_BYTES
    found = following.until("trial", since=mark, limit_s=DOWNLOAD_LIMIT_S + TRIAL_LIMIT_S)["figures"]
    report.figure("p95 of a new model while the cameras run", found["p95_ms"], "ms")
    report.figure("memory that a new model takes with its runtime", found["memory_mib"], "MiB")
    mark = ready.mark()
    ready.until_any_verdict("upstream", since=mark)
    following.cut_power()

    following.until("kept", since=mark, limit_s=TRIAL_LIMIT_S + RELOAD_LIMIT_S)
    following.until_it_counts("9.0", since=mark)
    slots = json.loads(board.run("ductwatch ota status --json"))["slots"]
    assert [(slot["state"], slot["active"], slot["release"]) for slot in slots] == [("good", True, following.release)]
    assert board.run(f"find {OTA} -name '*.half' -o -name '*.part'") == ""


def test_a_technician_goes_back_and_takes_another_from_a_folder_on_the_board(following: Following) -> None:
    """After the test above, whose model is the one to leave."""
    ready, board = following.ready, following.ready.board
    mark = ready.mark()
    board.run("ductwatch ota rollback --by A")
    assert following.until("went_back", since=mark, limit_s=60)["release"] == following.release
    following.until_it_counts(SHIPPED.version, since=ready.mark())

    other = following.publisher.publish("10.0", 10)
    bring_to_board(following)
    assert other in board.run(f"ductwatch ota install {STICK}", TRIAL_LIMIT_S)

    following.until("probation", since=mark, limit_s=TRIAL_LIMIT_S)
    following.until_it_counts("10.0", since=mark)
    history = json.loads(board.run("ductwatch ota history --json"))["history"]
    assert ("roll_back", following.release, "by A") in [(one["event"], one["release"], one["why"]) for one in history]


def bring_to_board(following: Following) -> None:
    """The repository as a folder there, which its web server never had like this."""
    bench, board = following.ready.bench, following.ready.board
    shutil.make_archive(str(bench.files.folder / "stick"), "tar", following.publisher.updates)
    address = f"http://{bench.host}:{bench.files.port}/stick.tar"
    board.python(f"import urllib.request as web; web.urlretrieve({address!r}, '{STICK}.tar')")
    board.run(f"mkdir -p {STICK} && tar -xf {STICK}.tar -C {STICK} && chmod -R a+rX {STICK}")
