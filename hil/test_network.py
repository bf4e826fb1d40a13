"""The way to the broker fails in every way there is. Nothing is lost, doubled or out of order."""

from __future__ import annotations

import pytest

from hil.bench import now_ns
from hil.board import Board
from hil.ready import Ready
from hil.report import Report
from hil.rig.lines import Line
from hil.rig.peers import CAMERAS
from hil.rig.pictures import DIRTY

pytestmark = pytest.mark.lg_feature("broker")

HOUR_MESSAGES = (
    1950  # of a board with default periods: 360 times 4 of gas, 12 of 9 of dust, 60 of 6 of its own, 24 verdicts
)
LOOK_EACH_S = 5  # looking takes the board's processor, too


@pytest.mark.lg_feature("lines")
def test_nothing_is_lost_while_the_broker_is_away(ready: Ready) -> None:
    mark = ready.mark()
    ready.bench.broker.kill()
    ready.press_for_snapshots(3)
    ready.bench.broker.start()

    ready.check_delivery(since=mark)
    assert ready.late(since=mark)


@pytest.mark.lg_feature(["lines", "network"])
def test_nothing_is_lost_while_the_network_is_away(ready: Ready) -> None:
    mark = ready.mark()
    cut_until_the_broker_gives_up(ready)
    ready.until_snapshots(1)
    ready.bench.machine.connect(True)

    ready.check_delivery(since=mark)
    assert ready.late(since=mark)


def cut_for_a_moment(ready: Ready) -> None:
    """Shorter than the broker waits: the connection may live through it."""
    ready.bench.machine.connect(False)
    ready.until_snapshots(1)


def cut_until_the_broker_gives_up(ready: Ready) -> None:
    """After half as long again as the keepalive: MQTT 5.0, 3.1.2.10."""
    mark = ready.mark()
    ready.bench.machine.connect(False)
    ready.until_availability("offline", since=mark)


@pytest.mark.lg_feature(["lines", "network"])
def test_nothing_is_lost_on_a_network_that_comes_and_goes(ready: Ready) -> None:
    mark = ready.mark()
    cuts = (cut_for_a_moment, cut_until_the_broker_gives_up, cut_for_a_moment)
    for cut in cuts:
        cut(ready)
        ready.bench.machine.connect(True)
        ready.until_caught_up()

    ready.check_delivery(since=mark, outages=len(cuts))
    assert ready.late(since=mark)


@pytest.mark.lg_feature(["lines", "pictures"])
def test_alarms_work_and_come_first_after_an_outage(ready: Ready) -> None:
    """Raised with no broker in reach; on its return they are sent before the readings that waited longer."""
    mark = ready.mark()
    ready.bench.broker.kill()
    ready.bench.cameras["upstream"].show(DIRTY)  # alone: the relay says that it is this alarm which was raised
    ready.bench.lines.until(Line.RELAY, True, 90)
    ready.bench.broker.start()

    alarm = ready.until_alarm("dirty_duct", "upstream", active=True, since=mark)
    assert alarm.fields["historical"] is True
    late = ready.late(since=mark)
    kinds = ["alarm" if m.fields["type"] in {"alarm", "health_change"} else "other" for m in late]
    assert "other" not in kinds[: kinds.count("alarm")]


def test_an_hours_messages_that_waited_arrive_whole_and_in_order(ready: Ready, report: Report) -> None:
    """Time is compressed on the firmware's side: it asks sensors four times a second, by this test's configuration."""
    mark = ready.mark()
    with ready.other_configuration(('period = "2s"', 'period = "250ms"'), ('period = "3s"', 'period = "1s"')):
        ready.bench.broker.kill()
        ready.board.until(lambda: waiting(ready.board) >= HOUR_MESSAGES, f"{HOUR_MESSAGES} messages wait", 240)
    back_ns = now_ns()
    ready.bench.broker.start()
    ready.until_caught_up()
    late = ready.late(since=mark)

    report.figure("time in which they came", (now_ns() - back_ns) / 1e9, "s")
    ready.check_delivery(since=mark)
    report.figure("messages that waited", len(late), "")
    assert len(late) >= HOUR_MESSAGES


def waiting(board: Board) -> int:
    """Readings and verdicts in the board's outbox, or 0: counted in a copy, as the firmware has the file for itself."""
    copy = "rm -f /run/outbox.sqlite* && cp /data/ductwatch/outbox.sqlite /data/ductwatch/outbox.sqlite-wal /run/"
    code = (
        "import sqlite3; rows = sqlite3.connect('/run/outbox.sqlite').execute('SELECT count(*) FROM telemetry'); "
        "print(*rows.fetchone())"
    )
    said, _, status = board.shell.run(f'sleep {LOOK_EACH_S}; {copy} && python3 -c "{code}"', timeout=60)
    return int(said[-1]) if status == 0 else 0  # the copy may be torn


@pytest.mark.lg_feature("lines")
def test_a_restart_during_an_outage_loses_nothing(ready: Ready) -> None:
    mark = ready.mark()
    boot = ready.until_any_verdict("upstream", since=mark)["boot_id"]
    ready.bench.broker.kill()
    ready.press_for_snapshots(4)
    ready.board.run("systemctl restart ductwatch.service", 90)
    ready.bench.broker.start()

    ready.check_delivery(since=mark)
    waited = [m for m in ready.late(since=mark) if "/verdict/" in m.topic and m.fields["boot_id"] == boot]
    assert len(waited) >= 2 * len(CAMERAS), "the last of the snapshots may not have been judged"


def test_the_board_reaches_a_web_server_that_serves_ranges(ready: Ready) -> None:
    (ready.bench.files.folder / "bundle.bin").write_bytes(bytes(range(256)))
    url = f"http://{ready.bench.host}:{ready.bench.files.port}/bundle.bin"
    code = (
        f"import urllib.request as web; wanted = web.Request({url!r}, headers={{'Range': 'bytes=250-'}}); "
        "print(list(web.urlopen(wanted).read()))"
    )

    assert ready.board.python(code) == str(list(range(250, 256)))
