"""Messages in memory: in order, bounded, the least important go first."""

from __future__ import annotations

from firmware.uplink.stage import Stage
from tests.firmware.uplink.builders import ALARM, IMAGE, TELEMETRY, row


def test_messages_stand_in_the_order_of_sending() -> None:
    stage = Stage()
    for seq, priority in enumerate([IMAGE, TELEMETRY, ALARM, TELEMETRY, ALARM], 1):
        stage.add(row(seq, priority))

    assert [one.seq for one in stage] == [3, 5, 2, 4, 1]


def test_a_full_stage_drops_the_oldest_of_the_lowest_class() -> None:
    stage = Stage(max_rows=3)
    for seq, priority in enumerate([IMAGE, TELEMETRY, IMAGE], 1):
        stage.add(row(seq, priority))

    gone = [stage.add(row(seq, ALARM))[0].seq for seq in (4, 5, 6, 7)]

    assert gone == [1, 3, 2, 4]
    assert [one.seq for one in stage] == [5, 6, 7]


def test_a_large_message_drives_out_as_many_as_it_takes() -> None:
    stage = Stage(max_bytes=5 * row(1).size_bytes)
    for seq in range(1, 6):
        stage.add(row(seq))

    gone = stage.add(row(6, ALARM, size_bytes=300))

    assert [one.seq for one in gone] == [1, 2, 3]
    assert [one.seq for one in stage] == [6, 4, 5]


def test_what_is_on_its_way_is_not_dropped() -> None:
    stage = Stage(max_rows=2)
    flying, waiting, newest = row(1), row(2), row(3)
    stage.add(flying)
    stage.add(waiting)

    assert stage.add(newest, spare={flying.id}) == [waiting]
    assert stage.add(row(4), spare={flying.id, newest.id, (newest.boot_id, 4)}) == []


def test_removing_twice_is_told() -> None:
    stage = Stage()
    stage.add(row(1))

    assert (stage.remove(row(1)), stage.remove(row(1))) == (True, False)
    assert (len(stage), stage.size_bytes) == (0, 0)
