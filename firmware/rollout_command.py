"""`ductwatch ota rollout`: an operator starts a rollout, looks at it, holds it, ends it. Works on the fleet's file."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from firmware.errors import ConfigError
from firmware.fleet.aws import create_job_lines
from firmware.fleet.place import state_file
from firmware.fleet.report import Report, is_over, report
from firmware.fleet.store import MAX_BOARDS, Store, StoreFailed
from firmware.fleet.types import Moment, Rollout
from firmware.rollout_view import duration, overview, screenful, table
from firmware.terminal import Colours, colours
from ota.job_messages import JobDocument, JobTopics
from ota.rollout import Phase, Plan, Progress, Step, join

EX_NOTHING_DONE = 1
LOOK_S = 0.5  # how often `watch` looks
MAX_FILE_BYTES = 2 * 1024 * 1024  # of a list of boards: 10,000 names of 128 characters
WILD = set("*?[")
DONE = {Step.PAUSE: "paused", Step.RESUME: "resumed", Step.ABORT: "aborted"}


def main(arguments: Namespace) -> int:
    """Raises `ConfigError` for what cannot be done."""
    path = state_file(arguments.state)
    try:
        if arguments.verb == "start":
            return _start(arguments, path)
        if not _is_there(path):
            raise ConfigError(
                f"there is no file {path}: nobody has started a rollout with it, or served one. Name the fleet's file "
                "with --state, or begin with `ductwatch ota jobs-server`"
            )
        with Store(path) as store:
            return VERBS[arguments.verb](arguments, store)
    except StoreFailed as error:
        raise ConfigError(str(error)) from error


def _start(arguments: Namespace, path: Path) -> int:
    """The file is made only once the rollout can be."""
    patterns = _listed(arguments.boards_file) if arguments.boards_file else tuple(arguments.boards)
    rollout = _rollout(arguments, patterns)
    known = _known(path)
    boards = sorted({*rollout.named, *(board for board in known if rollout.is_for(board))})
    if not boards:
        raise ConfigError(
            f"the broker has told of no board like {', '.join(patterns)}. Run `ductwatch ota jobs-server` first: it "
            "learns which boards there are; or name them with --boards-file"
        )
    _check_time(arguments)
    if arguments.aws is not None:
        return _print_aws(rollout, boards, arguments.aws)
    strangers = sorted(set(boards) - set(known))
    if strangers:
        some = ", ".join(strangers[:5]) + (", ..." if len(strangers) > 5 else "")
        print(f"ductwatch: of {len(strangers)} boards the broker has never told: {some}", file=sys.stderr)
    with Store(path) as store:
        store.add(rollout, join(rollout.plan, Progress(), boards))
        return _show(arguments, store, rollout.id)


def _known(path: Path) -> list[str]:
    if not _is_there(path):
        return []
    with Store(path) as store:
        return [board.name for board in store.boards()]


def _is_there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  # which also says no where it may not look


def _status(arguments: Namespace, store: Store) -> int:
    if arguments.rollout is not None:
        return _show(arguments, store, arguments.rollout, most=None if arguments.all else 20)
    reports = [report(store, one, _now()) for one in store.rollouts()]
    if arguments.json:
        print(json.dumps([one.as_dict() for one in reports], indent=2))
    else:
        print("\n".join(overview(reports, _colours())))
    return _exit_code(reports)


def _watch(arguments: Namespace, store: Store) -> int:
    """Redraw on a terminal; elsewhere a line, or with --json an object, at each change."""
    shown = _colours()
    last: object = None
    height = 0
    while True:
        one = report(store, _found(store, arguments.rollout), _now())
        if arguments.json:
            told: object = {key: value for key, value in one.as_dict().items() if key != "wait_s"}
            text = json.dumps(one.as_dict())
        elif shown is Colours.NONE:
            text = "\n".join(overview([one], shown))
            told = text
        else:
            columns, rows = shutil.get_terminal_size()
            lines = screenful(one, shown, columns=columns, rows=rows)
            told = lines
            text = f"\x1b[{height}F\x1b[J" * bool(height) + "\n".join(lines)  # ECMA-48: CPL, ED
        if told != last:
            print(text, flush=True)
            last, height = told, text.count("\n") + 1
        if is_over(one):
            return _exit_code([one])
        time.sleep(LOOK_S)


def _moving(event: Step) -> Callable[[Namespace, Store], int]:
    def move(arguments: Namespace, store: Store) -> int:
        found = _found(store, arguments.rollout)
        try:
            store.move(found.id, event, arguments.reason or f"{DONE[event]} by an operator", Moment(_now(), 0))
        except KeyError:
            print(f"ductwatch: {found.id} is {found.phase.value}: nothing changed", file=sys.stderr)
            return EX_NOTHING_DONE
        _show(arguments, store, found.id)
        return 0

    return move


def _forget(arguments: Namespace, store: Store) -> int:
    one = report(store, _found(store, arguments.rollout), _now())
    if not is_over(one):
        print(f"ductwatch: {one.rollout.id} is not over: abort it first. Nothing changed", file=sys.stderr)
        return EX_NOTHING_DONE
    store.forget(one.rollout.id)
    print(json.dumps({"forgotten": one.rollout.id}) if arguments.json else f"{one.rollout.id} is forgotten.")
    return 0


VERBS: dict[str, Callable[[Namespace, Store], int]] = {
    "status": _status,
    "watch": _watch,
    "pause": _moving(Step.PAUSE),
    "resume": _moving(Step.RESUME),
    "abort": _moving(Step.ABORT),
    "forget": _forget,
}


def _rollout(arguments: Namespace, patterns: tuple[str, ...]) -> Rollout:
    for name in patterns:
        if not WILD & set(name):
            _check_name(name)
    plan = {
        "rollout": arguments.rollout,
        "percents": arguments.cohorts,
        "soak_s": arguments.soak,
        "max_failures": arguments.max_failures / 100,
        "min_results": arguments.min_results,
        "deadline_s": arguments.deadline,
    }
    wanted = {
        "rollout": arguments.rollout,
        "channel": arguments.channel,
        "model": arguments.model,
        "release_counter": arguments.release_counter,
        "not_before": arguments.not_before,
        "jitter_s": round(arguments.jitter),
    }
    try:
        return Rollout(
            plan=msgspec.convert(plan, Plan),
            document=msgspec.convert(wanted, JobDocument),
            boards=patterns,
            made_at=_now(),
            moved_at=_now(),
        )
    except msgspec.ValidationError as error:
        problem, _, key = str(error).rstrip("`").partition(" - at `$.")
        raise ConfigError(
            f"such a rollout cannot be: {key}: {problem}. See `ductwatch ota rollout start --help`".replace(": :", ":")
        ) from error


def _check_time(arguments: Namespace) -> None:
    ahead_s = 0.0 if arguments.not_before is None else max(0.0, arguments.not_before.timestamp() - _now())
    if ahead_s + arguments.jitter >= arguments.deadline:
        raise ConfigError(
            f"boards may begin up to {duration(ahead_s + arguments.jitter)} from now, and count as failed if they are "
            f"silent for {duration(arguments.deadline)}: give a longer --deadline"
        )


def _listed(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read: {reason}. Check the path and its contents") from error
    names: list[str] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if name := line.partition("#")[0].strip():
            _check_name(name, f"{path}:{number}: ")
            names.append(name)
    if not names or len(names) > MAX_BOARDS or len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: has {len(names)} boards: name 1 to {MAX_BOARDS}, one a line")
    return tuple(dict.fromkeys(names))


def _check_name(name: str, where: str = "") -> None:
    try:
        JobTopics("-", name)
    except ValueError as error:
        raise ConfigError(f"{where}{error}") from error


def _print_aws(rollout: Rollout, boards: Sequence[str], arn: str) -> int:
    try:
        print("\n".join(create_job_lines(rollout.plan, rollout.document, boards, arn)))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return 0


def _found(store: Store, name: str) -> Rollout:
    if (found := store.rollout(name)) is None:
        known = ", ".join(one.id for one in store.rollouts()) or "none"
        raise ConfigError(f"there is no rollout {name!r}. There are: {known}")
    return found


def _show(arguments: Namespace, store: Store, name: str, *, most: int | None = 20) -> int:
    one = report(store, _found(store, name), _now())
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    lines = table(one, _colours(), most=most, width=width)
    print(json.dumps(one.as_dict(), indent=2) if arguments.json else "\n".join(lines))
    return _exit_code([one])


def _exit_code(reports: Sequence[Report]) -> int:
    return EX_NOTHING_DONE if any(one.rollout.phase is Phase.ABORTED for one in reports) else 0


def _colours() -> Colours:
    return colours(os.environ, is_terminal=sys.stdout.isatty())


def _now() -> int:
    return round(time.time())
