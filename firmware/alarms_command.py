"""`ductwatch alarms`: looks at the alarms of the running firmware, and acts on them."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from firmware.asking import asked, user
from firmware.errors import ConfigError
from firmware.wording import since

EX_NOTHING_DONE = 1

VERBS = {
    "ack": "acknowledge",
    "reset": "reset",
    "shelve": "shelve",
    "unshelve": "unshelve",
    "out-of-service": "take_out_of_service",
    "in-service": "return_to_service",
}
"""Actions on alarms, as the command line and the socket name them."""


def main(arguments: Namespace) -> int:
    """1 if an action changed no alarm. Raises `ConfigError` if nobody answers or the firmware refuses."""
    arguments = Namespace(**{"json": False} | vars(arguments))
    match arguments.action:
        case None | "list":
            reply = asked(arguments, {"command": "alarms"})
            print(json.dumps(reply, indent=2) if arguments.json else _listed(reply["alarms"]))
        case "history":
            reply = asked(arguments, {"command": "history", "limit": arguments.limit})
            print(json.dumps(reply, indent=2) if arguments.json else _history(reply["moves"]))
        case verb:
            reply = asked(arguments, _command(VERBS[verb], arguments))
            print(json.dumps(reply, indent=2) if arguments.json else _came_of_it(reply["moves"]))
            return 0 if reply["moves"] else EX_NOTHING_DONE
    return 0


def _command(command: str, arguments: Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {"command": command, "by": arguments.by or user()}
    if arguments.alarm is not None:
        rule, slash, source = arguments.alarm.partition("/")
        if not slash:
            raise ConfigError(f"{arguments.alarm!r} is no alarm: write RULE/SOURCE, as `ductwatch alarms` shows it")
        given |= {"rule": rule, "source": source}
    for key in ("for", "reason"):
        if (value := getattr(arguments, key, None)) is not None:
            given[key] = value
    return given


def _listed(alarms: Sequence[Mapping[str, Any]]) -> str:
    if not alarms:
        return "No alarm stands, and nothing is withheld."
    return "\n\n".join("\n".join(_alarm(one)) for one in alarms)


def _alarm(one: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{one['severity'].upper():<9} {_name(one)}  {_words(one['state'])} for {since(one['in_state_s'])}{_value(one)}"
    ]
    if one["shelf"]:
        lines.append(f"          shelved for {since(one['shelf']['left_s'])} more, {_note(one['shelf'])}")
    if one["out_of_service"]:
        lines.append(f"          out of service, {_note(one['out_of_service'])}")
    if "suppressed" in one["withheld"]:
        lines.append("          suppressed by design")
    if one["chattering"]:
        lines.append("          chatters: give its rule a deadband or a delay")
    if one["stale"]:
        lines.append("          stale: it has stood for more than a day")
    return lines + [f"          {text}" for text in (one["cause"], one["action"]) if text]


def _history(moves: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{move['time'] or 'time unknown':<27} {_move(move)}" for move in moves) or "The journal is empty."


def _came_of_it(moves: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(map(_move, moves)) or "Nothing changed: no such alarm, or it is not in a state for this."


def _move(move: Mapping[str, Any]) -> str:
    withheld = f", {' and '.join(map(_words, move['withheld']))}" if move["withheld"] else ""
    return f"{_name(move)}  {_words(move['event'])}: {_words(move['after'])}{withheld}, {_note(move)}"


def _name(one: Mapping[str, Any]) -> str:
    return f"{one['rule']}/{one['source']}"


def _note(one: Mapping[str, Any]) -> str:
    return f"by {one['by']}: {one['reason']}"


def _value(one: Mapping[str, Any]) -> str:
    return "" if one["value"] is None else f", last value {one['value']:.6g}"


def _words(name: str) -> str:
    return name.replace("_", " ")
