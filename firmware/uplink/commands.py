"""What a broker may ask of the board, and the board's replies. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drivers.types import SourceId
from firmware.alarms.types import AlarmId

SCHEMA = "ductwatch.reply/1"
MAX_COMMAND_BYTES = 4096  # a longer payload is refused unread
MAX_NAME = 200  # characters of a rule, a source, a name or an id
BY_DEFAULT = "mqtt"  # who acknowledged or reset, where the command does not say


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Look at the duct now."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody has seen this alarm."""

    alarm: AlarmId
    by: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Somebody says that it is mended: this alarm, or (None) each one that is latched."""

    alarm: AlarmId | None
    by: str


@dataclass(frozen=True, slots=True)
class Report:
    """Send a health report now."""


Command = Snapshot | Acknowledge | Reset | Report


@dataclass(frozen=True, slots=True)
class Request:
    """A command, and the id under which whoever asked expects the reply."""

    command: Command
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command, in a sentence for whoever asked."""

    done: bool
    text: str


class BadCommand(Exception):
    """The payload is not a command. The message says what would be one."""

    def __init__(self, problem: str, request_id: str | None = None) -> None:
        super().__init__(problem)
        self.request_id = request_id


def parse(payload: bytes) -> Request:
    """Read a command such as `{"command": "snapshot"}`. Raises `BadCommand`."""
    if len(payload) > MAX_COMMAND_BYTES:
        raise BadCommand(f"{len(payload)} bytes are too many: a command has at most {MAX_COMMAND_BYTES}")
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):  # the second for thousands of opening brackets
        raise BadCommand('this is not JSON: write {"command": "snapshot"}') from None
    if not isinstance(fields, dict):
        raise BadCommand('a command is a JSON object: write {"command": "snapshot"}')
    request_id = _id(fields.pop("id", None))
    name = fields.pop("command", None)
    if not isinstance(name, str) or name not in COMMANDS:
        raise BadCommand(f"unknown command {_shown(name)}: use one of {', '.join(COMMANDS)}", request_id)
    allowed, build = COMMANDS[name]
    if unknown := sorted(set(fields) - set(allowed)):
        takes = f"it takes {', '.join(allowed)}" if allowed else "it takes no fields"
        raise BadCommand(f"{name} does not take {_shown(unknown[0])}: {takes}", request_id)
    try:
        return Request(build(fields), request_id)
    except ValueError as error:
        raise BadCommand(f"{name}: {error}", request_id) from None


def reply(request: Request, answer: Answer) -> bytes:
    """The reply to a command, as it is sent."""
    name = type(request.command).__name__.lower()
    return _reply(request.id, {"command": name, "done": answer.done, "text": answer.text})


def refusal(error: BadCommand) -> bytes:
    """The reply to a payload that is not a command."""
    return _reply(error.request_id, {"command": None, "done": False, "text": str(error)})


def _reply(request_id: str | None, fields: Mapping[str, Any]) -> bytes:
    return json.dumps({"schema": SCHEMA, "id": request_id, **fields}).encode()


def _acknowledge(fields: Mapping[str, Any]) -> Acknowledge:
    return Acknowledge(_alarm(fields), _by(fields))


def _reset(fields: Mapping[str, Any]) -> Reset:
    named = "rule" in fields or "source" in fields
    return Reset(_alarm(fields) if named else None, _by(fields))


def _alarm(fields: Mapping[str, Any]) -> AlarmId:
    return AlarmId(_name(fields, "rule"), SourceId(_name(fields, "source")))


def _by(fields: Mapping[str, Any]) -> str:
    return _name(fields, "by") if "by" in fields else BY_DEFAULT


def _name(fields: Mapping[str, Any], key: str) -> str:
    name = fields.get(key)
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"{key} must be a text of 1 to {MAX_NAME} characters, not {_shown(name)}")
    if not name.isprintable():  # half a surrogate pair, which JSON can carry and no database
        raise ValueError(f"{key} must be a text that can be printed, not {_shown(name)}")
    return name


def _id(value: object) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= MAX_NAME):
        return value
    raise BadCommand(f"id must be a text of at most {MAX_NAME} characters, not {_shown(value)}")


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"


COMMANDS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Command]]] = {
    "snapshot": ((), lambda _: Snapshot()),
    "acknowledge": (("rule", "source", "by"), _acknowledge),
    "reset": (("rule", "source", "by"), _reset),
    "report": ((), lambda _: Report()),
}
"""Which fields each command takes, and what makes it of them."""
