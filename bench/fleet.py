"""Ten thousand boards on this machine: a rollout that reaches all, one that is stopped, and what each board costs."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.fleet_release import published
from bench.fleet_run import POLL, ROLLOUT, STOPPED, Gone, Part, Waits, go_through
from bench.fleet_servers import BROKER, JOBS, WEB, room_for
from bench.fleet_tally import peak
from bench.machine import file_system
from bench.results import Bar, Chart, Curve, Curves, Goal, Result, Row, Setup
from ota.job_messages import Status

SIZES, HASTY_SIZES = (100, 1_000, 10_000), (60,)
DISK = Path("/var/tmp")  # outlives a restart (FHS 5.15), so that it is no tmpfs, where nothing is ever synced
WAITS = Waits(period_s=24.0, jitter_s=10, examined_s=3.0, soak_s=2.0)
HASTY_WAITS = Waits(period_s=2.0, jitter_s=1, examined_s=0.3, soak_s=0.2)
POLL_BYTES = 500.0
SERVERS = (BROKER, WEB, JOBS)
HOW = (
    "Boards are tasks in two processes, each with an MQTT 5 connection of its own to one Mosquitto, and with HTTP "
    "connections to one static web server, all on this machine, without TLS. They decide by the firmware's own code: "
    "`ota.jobs`, `ota.slot_moves`, `firmware.update.job_decisions`, `.schedule` and `.fitness`. `ota.trust` decides "
    "once for all boards with the same state and the same bytes, and anew for each hundredth. The repository is made "
    "by `ductwatch ota publish`: the shipped model, one whose weights moved, and a broken one, which fails its golden"
    " pictures. Nine of ten boards fetch a delta, the tenth the whole. Rollouts are served by `ductwatch ota "
    "jobs-server`, in cohorts of 1, 10, 50 and 100 %. Waiting is shortened: {waits}; trial and probation are left "
    "out, and so is what a board reports of a job between the first word and the last. Until all have it: from the "
    "start of the rollout to the last board's success. A message is one between a board and the broker, either way. "
    "On the wire: with TCP's and IP's headers at 1448 bytes a segment, as the kernel counts them (TCP_INFO)."
)


def measure(setup: Setup, *, sizes: Sequence[int] | None = None) -> Result:
    """Raises `NothingToMeasure` where so many sockets are not allowed."""
    sizes = sizes or (HASTY_SIZES if setup.quick else SIZES)
    waits = HASTY_WAITS if setup.quick else WAITS
    with room_for(max(sizes)), tempfile.TemporaryDirectory(prefix="ductwatch-bench-", dir=DISK) as folder:
        setup.progress("publishing three releases")
        repositories = published(Path(folder))
        fleets = []
        for size in sizes:
            (here := Path(folder) / f"{size}").mkdir()
            fleets.append(asyncio.run(go_through(size, here, repositories, waits, setup.progress)))
    return Result(
        name="fleet",
        title="A fleet on one machine",
        how=HOW.format(waits=_in_words(waits)),
        columns=(
            *("s", "boards", "messages/s", "requests/s"),
            *("MQTT B each", "on the wire B", "HTTP B each", "on the wire B"),
            *(f"{server} cpu s" for server in SERVERS),
        ),
        rows=tuple(
            Row(f"{one.boards} boards: {name}", figures(part)) for one in fleets for name, part in one.parts.items()
        ),
        goals=tuple(goals(fleets[-1])),
        chart=Chart(
            unit="ms of processor time a board, in a rollout",
            bars=tuple(
                Bar(label=f"{server}, {one.boards} boards", value=1_000 * one.parts[ROLLOUT].each_cpu_s(server))
                for server in SERVERS
                for one in fleets
            ),
        ),
        curves=Curves(along="boards", curves=tuple(_curves(fleets))),
        notes=tuple(_notes(fleets[-1])),
        details={
            "said again": {one.boards: {name: part.tally.repeats for name, part in one.parts.items()} for one in fleets}
        },
    )


def figures(part: Part) -> tuple[float | None, ...]:
    """Of one row. Messages and requests are the most within a second; bytes are those of one board."""
    tally = part.tally
    return (
        part.seconds,
        tally.got or None,
        peak(tally.messages) or None,
        peak(tally.requests) or None,
        *(part.each(count) for count in (tally.message_bytes, tally.message_carried.wire_bytes)),
        *(part.each(count) for count in (tally.body_bytes, tally.body_carried.wire_bytes)),
        *(part.cpu_s[server] for server in SERVERS),
    )


def goals(fleet: Gone) -> Iterator[Goal]:
    poll, rollout = fleet.parts[POLL], fleet.parts[ROLLOUT]
    without = fleet.boards - rollout.tally.ended.get(Status.SUCCEEDED.value, 0)
    yield Goal(what="bodies of a steady poll", value=poll.each(poll.tally.body_bytes), at_most=POLL_BYTES, unit="B")
    yield Goal(what=f"of {fleet.boards} boards, without the good model", value=without, at_most=0, unit="boards")
    yield Goal(
        what="beyond the first cohort, with an offer of the bad model",
        value=fleet.reach.beyond,
        at_most=0,
        unit="boards",
    )


def _curves(fleets: Sequence[Gone]) -> Iterator[Curve]:
    rollouts = [(one.boards, one.parts[ROLLOUT]) for one in fleets]
    seconds = "s, a rollout"
    yield _curve("until all have it", seconds, [(boards, part.seconds) for boards, part in rollouts])
    for server in SERVERS:
        yield _curve(f"{server}, processor", seconds, [(boards, part.cpu_s[server]) for boards, part in rollouts])
    a_second = "in the busiest second"
    yield _curve("messages", a_second, [(boards, peak(part.tally.messages)) for boards, part in rollouts])
    yield _curve("requests", a_second, [(boards, peak(part.tally.requests)) for boards, part in rollouts])
    wire = "MB on the wire, all boards"
    for label, name in (("a poll", POLL), ("a rollout", ROLLOUT)):
        parts = [(one.boards, one.parts[name].tally) for one in fleets]
        carried = [
            (boards, tally.body_carried.wire_bytes + tally.message_carried.wire_bytes) for boards, tally in parts
        ]
        yield _curve(label, wire, [(boards, count / 1e6) for boards, count in carried])


def _curve(label: str, unit: str, points: Sequence[tuple[int, float]]) -> Curve:
    """A logarithmic axis has no 0."""
    return Curve(label=label, unit=unit, points=tuple((float(x), float(y)) for x, y in points if y > 0))


def _notes(fleet: Gone) -> Iterator[str]:
    bad = fleet.parts[STOPPED].tally
    yield (
        f"Of {fleet.boards} boards {fleet.reach.first} were in the first cohort of the bad model, and {bad.got} got it "
        f"before the rollout was stopped: {bad.ended.get(Status.FAILED.value, 0)} failed it and kept what they had."
    )
    yield (
        "The column `boards` counts those that fetched the release. Messages and requests: the most within a second, "
        "bytes a mean over all boards of the fleet. While they poll, each connection is also kept alive, once."
    )
    yield f"The broker had at most {fleet.broker_mb:.0f} MB in memory, for {fleet.boards} connections."
    yield (
        "The web server is a Python program of this benchmark. Boards and servers share the machine's processor, and a "
        f"disk with {file_system(DISK)}. Mosquitto keeps 20,000 messages for a client, not 1,000."
    )


def _in_words(waits: Waits) -> str:
    return (
        f"{waits.jitter_s} s of jitter, {waits.examined_s:g} s for an examination, {waits.soak_s:g} s of soak, and "
        f"polls within {1.5 * waits.period_s:g} s"
    )
