"""What the board does all day: it sees, judges, measures, and says so."""

from __future__ import annotations

from hil.bench import now_ns
from hil.ready import Ready
from hil.report import Report
from hil.rig.lines import Line
from hil.rig.pictures import DIRTY


def test_a_dirty_picture_on_both_cameras_raises_the_alarm_and_pulls_the_relay(ready: Ready, report: Report) -> None:
    mark = ready.mark()
    ready.bench.show(DIRTY)
    shown_ns = now_ns()

    ready.until_verdict("upstream", "DIRTY", since=mark)
    report.figure("picture to verdict on the broker", (now_ns() - shown_ns) / 1e9, "s")
    ready.until_alarm("dirty_duct", "upstream", active=True, since=mark)
    ready.until_alarm("dirty_duct", "downstream", active=True, since=mark)
    report.figure("picture to alarm on the broker", (now_ns() - shown_ns) / 1e9, "s")
    ready.bench.lines.until(Line.RELAY, True, 5)
