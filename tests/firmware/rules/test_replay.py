from __future__ import annotations

from drivers.types import Instant, SourceId
from firmware.alarms.types import Transition
from firmware.rules.expression.compile import compile_rule
from firmware.rules.replay import MOST_BUCKETS, Course, Span, replay
from firmware.rules.types import NO_LIMIT, Sample
from tests.firmware.rules.builders import DUCT, alarm, at, engine, held, pm, rule, told

DUSTY = rule(on_delay=held(60), off_delay=held(10), tolerance_ns=held(300).ns)


def test_alarms_come_and_go_as_they_would_have_on_the_board() -> None:
    values = [20.0] * 30 + [50.0] * 90 + [20.0] * 30 + [50.0] * 100
    measured = [pm(value, second) for second, value in enumerate(values)]
    live = engine(DUSTY)
    moves: list[Transition] = []
    for sample in measured:
        moves += live.tick(sample.at)
        moves += live.feed(sample)

    replayed = replay(measured, [DUSTY])

    assert (
        told(replayed.moves) == told(moves) == ["90 pm2_5_high raise", "130 pm2_5_high return", "210 pm2_5_high raise"]
    )
    assert replayed.spans(alarm()) == [Span(at(90), at(130)), Span(at(210), None)]
    assert (replayed.raised(alarm()), replayed.end) == (2, at(249))


def test_delays_run_out_and_faults_come_in_the_gaps_between_samples() -> None:
    replayed = replay([pm(50, 0), pm(50, 10_000)], [DUSTY])

    assert told(replayed.moves)[:2] == ["60 pm2_5_high raise", "300 pm2_5_fault raise"]


def test_a_signal_that_stops_is_a_fault_while_another_goes_on_each_second() -> None:
    stops = [pm(20, 0), *(pm(20, second, SourceId("other")) for second in range(1, 400))]

    assert told(replay(stops, [DUSTY]).moves) == ["300 pm2_5_fault raise"]


def test_expressions_see_all_their_signals() -> None:
    damp = compile_rule("pm2_5 > 35.0 && humidity > 70.0")
    rules = [
        rule("damp_dust", limit=NO_LIMIT, when=damp),
        rule("dust", suppress_when=compile_rule("fan_running == 0.0")),
    ]
    still, humid = Sample(SourceId("fan"), "fan_running", 0.0, at(0)), Sample(DUCT, "humidity", 80.0, at(0))

    moves = replay([still, humid, pm(50, 1)], rules).moves

    assert told(moves) == ["1 dust suppress", "1 dust raise", "1 damp_dust raise"]


def test_after_an_hour_of_silence_it_is_exact_to_a_minute_only() -> None:
    late = rule(tolerance_ns=held(7_230).ns)

    (fault, *_) = replay([pm(20, 0), pm(20, 20_000)], [late]).moves

    assert held(7_230).ns <= fault.at <= held(7_290).ns


def test_a_clock_that_was_set_from_1970_to_now_takes_no_minutes() -> None:
    year_s = 366 * 86_400
    late = rule(tolerance_ns=held(year_s).ns)

    (fault, *_) = replay([pm(20, 0), pm(20, 9_000 * year_s)], [late]).moves

    assert held(year_s).ns <= fault.at <= held(year_s).ns * 1.001


def test_a_course_keeps_least_and_most_however_long_it_gets() -> None:
    course = Course()
    for second in range(10 * MOST_BUCKETS):
        course.add(float(second % 100), Instant(at(second)))

    assert MOST_BUCKETS / 2 <= len(course.buckets) <= 2 * MOST_BUCKETS
    assert {least for least, _ in course.buckets.values()} | {most for _, most in course.buckets.values()} >= {
        0.0,
        99.0,
    }
    number, (least, most) = next(iter(course.buckets.items()))
    covered = range(number * course.width_ns // 10**9, (number + 1) * course.width_ns // 10**9)
    assert (least, most) == (min(second % 100 for second in covered), max(second % 100 for second in covered))


def test_signals_without_a_rule_are_passed_over() -> None:
    replayed = replay([pm(50, 0)], [rule(signal="pm10")])

    assert (replayed.samples, replayed.courses, replayed.moves) == (1, {}, [])
    assert replay([pm(50, 0)], [rule()]).courses[DUCT, "pm2_5"].buckets == {0: (50.0, 50.0)}
