"""The command line of `ductwatch ota rollout` and `ota jobs-server`: bringing a release to a fleet, from a laptop."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.settings import Duration
from firmware.cli_values import broker

if TYPE_CHECKING:
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]

PAGE = "docs/ota-rollout.md"
REFUSED = {2: "it cannot be done so; the message says what to do. Nothing was changed"}
LOOKED_AWAY = {130: "Ctrl-C"}
MOVED = {0: "done", 1: "nothing changed: a rollout in its state cannot do that"} | REFUSED
EXITS = {
    "start": {0: "it has begun; with --aws: the lines are printed"} | REFUSED,
    "status": {0: "no rollout that was asked about is aborted", 1: "one is"} | REFUSED,
    "watch": {0: "it is finished", 1: "it is aborted"} | REFUSED | LOOKED_AWAY,
    "pause": MOVED,
    "resume": MOVED,
    "abort": MOVED,
    "forget": {0: "done", 1: "nothing changed: it is not over"} | REFUSED,
}
ALL_EXITS = (
    {0: "done", 1: "nothing changed, or (status, watch) a rollout that was asked about is aborted"}
    | REFUSED
    | LOOKED_AWAY
)
SERVER_EXITS = {
    0: "somebody stopped it (SIGTERM)",
    2: "the file or what was given cannot be used; the message says what to do",
} | LOOKED_AWAY
STATE = f"""All of it is in one file, which the jobs-server shares: close the laptop, and go on
another day. {PAGE} explains it."""


def add_rollout(actions: Actions) -> None:
    """`rollout` with what can be done to one."""
    rollout = actions.add_parser(
        "rollout",
        help="bring a release to a fleet, cohort by cohort",
        description=f"Offer boards a release, few at first, and stop by itself if too many fail.\n{STATE}",
        epilog=_exits(ALL_EXITS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = rollout.add_subparsers(dest="verb", required=True, metavar="VERB")
    _start(verbs)
    status = _verb(verbs, "status", "how far rollouts are, or one of them")
    status.add_argument("rollout", nargs="?", metavar="ROLLOUT", help="default: all of them, a line each")
    status.add_argument("--all", action="store_true", help="each board, also those that are done or wait")
    watch = _verb(verbs, "watch", "look on until it is over; Ctrl-C stops looking, and nothing else")
    watch.add_argument("rollout", metavar="ROLLOUT")
    for name, does in (
        ("pause", "offer it to no further board; what boards report still counts"),
        ("resume", "go on with a paused one"),
        ("abort", "end it for good: boards that have not begun do not begin"),
    ):
        verb = _verb(verbs, name, does)
        verb.add_argument("rollout", metavar="ROLLOUT")
        verb.add_argument("--reason", default="", metavar="WORDS", help="kept with the rollout")
    _verb(verbs, "forget", "delete one that is over, with what its boards reported").add_argument(
        "rollout", metavar="ROLLOUT"
    )


def add_jobs_server(actions: Actions) -> None:
    """`jobs-server`."""
    server = actions.add_parser(
        "jobs-server",
        help="serve rollouts to boards on a plain MQTT broker",
        description="Answer boards as AWS IoT Jobs does, on a broker of your own, until Ctrl-C.\n"
        f"It learns from the broker which boards there are, and lets rollouts move on.\n{STATE}",
        epilog=_exits(SERVER_EXITS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    server.add_argument(
        "--config", type=Path, metavar="FILE", help="a TOML file with [uplink], as boards have it; the rest is not read"
    )
    server.add_argument(
        "--broker", type=broker, metavar="HOST[:PORT]", help="this broker, instead of the configured one"
    )
    _state(server)


def _start(verbs: Actions) -> None:
    start = _verb(verbs, "start", "begin one")
    start.add_argument("rollout", metavar="ROLLOUT", help="a new name: a-z A-Z 0-9 - _, at most 64")
    wanted = start.add_argument_group("what boards are to have")
    wanted.add_argument("--model", required=True, metavar="MODEL", help="such as visual-clean")
    wanted.add_argument("--release-counter", type=int, required=True, metavar="N", help="at least this release of it")
    wanted.add_argument("--channel", default="stable", metavar="CHANNEL", help="where it is (default: %(default)s)")
    boards = start.add_argument_group("which boards").add_mutually_exclusive_group(required=True)
    boards.add_argument(
        "--boards",
        action="append",
        metavar="NAME|PATTERN",
        help="such as 'duct-*': those that the broker has told of, and any that come until it is over; may be repeated",
    )
    boards.add_argument("--boards-file", type=Path, metavar="FILE", help="a name a line; # begins a remark")
    pace = start.add_argument_group("how fast")
    pace.add_argument(
        "--cohorts",
        type=_percents,
        default=(1, 10, 50, 100),
        metavar="P,P,..",
        help="percent of the fleet after each step (default: 1,10,50,100)",
    )
    pace.add_argument("--soak", type=_duration, default=3600.0, metavar="DURATION", help="between steps (default: 1h)")
    pace.add_argument(
        "--not-before", type=_moment, metavar="TIME", help="boards begin at this time, such as 2026-05-01T02:00:00Z"
    )
    pace.add_argument(
        "--jitter", type=_duration, default=0.0, metavar="DURATION", help="and each up to this much later (default: 0s)"
    )
    stop = start.add_argument_group("when to stop")
    stop.add_argument(
        "--max-failures", type=float, default=10.0, metavar="PERCENT", help="abort above this (default: %(default)g)"
    )
    stop.add_argument(
        "--min-results", type=int, default=5, metavar="N", help="but not before so many answered (default: %(default)s)"
    )
    stop.add_argument(
        "--deadline",
        type=_duration,
        default=86400.0,
        metavar="DURATION",
        help="a board silent for longer has failed (1d)",
    )
    start.add_argument(
        "--aws",
        metavar="ARN",
        help="start nothing: print `aws iot create-job` lines for arn:aws:iot:REGION:ACCOUNT:thing",
    )


def _verb(verbs: Actions, name: str, does: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=_exits(EXITS[name]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _state(verb)
    verb.add_argument("--json", action="store_true", help=f"JSON ({PAGE})")
    return verb


def _exits(codes: Mapping[int, str]) -> str:
    return "\n".join(["exit status:", *(f"  {code:<3}  {words}" for code, words in codes.items())])


def _state(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--state", type=Path, metavar="FILE", help="the fleet's file (default: ~/.local/state/ductwatch/fleet.sqlite)"
    )


def _percents(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write percents, such as 1,10,50,100") from None


def _duration(text: str) -> float:
    try:
        return float(Duration.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write a time such as 2026-05-01T02:00:00Z") from None
    return moment.astimezone(UTC)
