"""What a broker may ask of the board, and the board's replies. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drivers.settings import Duration
from drivers.types import SourceId
from firmware.alarms.operations import (
    LONGEST_SHELF_NS,
    Acknowledge,
    Operation,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
)
from firmware.alarms.types import AlarmId, Note

SCHEMA = "ductwatch.reply/1"
MAX_COMMAND_BYTES = 4096  # a longer payload is refused unread
MAX_NAME = 200  # characters of a rule, a source, a name or an id
BY_DEFAULT = "mqtt"  # who acknowledged or reset, where the command does not say


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Look at the duct now."""


@dataclass(frozen=True, slots=True)
class Report:
    """Send a health report now."""


@dataclass(frozen=True, slots=True)
class CleaningStart:
    """Somebody begins to clean the duct, or goes on with it."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CleaningFinish:
    """They say that it is clean: see whether it is."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CleaningCancel:
    """It was no cleaning."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class UpdateCheck:
    """Ask the repository for a new model now."""


@dataclass(frozen=True, slots=True)
class UpdateInstall:
    """Take the model that is in a repository elsewhere, such as a folder of this board; `older`: if need be."""

    where: str
    older: bool


@dataclass(frozen=True, slots=True)
class UpdateRollBack:
    """Go back to the model before, now and for good."""

    by: str


Update = UpdateCheck | UpdateInstall | UpdateRollBack
Cleaning = CleaningStart | CleaningFinish | CleaningCancel
BoardCommand = Snapshot | Report | Cleaning | Operation
Command = BoardCommand | Update


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


def parse(payload: bytes, *, by: str = BY_DEFAULT) -> Request:
    """Read a command such as `{"command": "snapshot"}`, of `by` where it does not say. Raises `BadCommand`."""
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
        return Request(build({"by": by, **fields} if "by" in allowed else fields), request_id)
    except ValueError as error:
        raise BadCommand(f"{name}: {error}", request_id) from None


def reply(request: Request, answer: Answer) -> bytes:
    """The reply to a command, as it is sent."""
    return _reply(request.id, {"command": _name_of(request.command), "done": answer.done, "text": answer.text})


def refusal(error: BadCommand) -> bytes:
    """The reply to a payload that is not a command."""
    return _reply(error.request_id, {"command": None, "done": False, "text": str(error)})


def _reply(request_id: str | None, fields: Mapping[str, Any]) -> bytes:
    return json.dumps({"schema": SCHEMA, "id": request_id, **fields}).encode()


def _name_of(command: Command) -> str:
    """`take_out_of_service`, as whoever asked wrote it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(command).__name__).lower()


def _acknowledge(fields: Mapping[str, Any]) -> Acknowledge:
    return Acknowledge(_alarm(fields), _by(fields))


def _reset(fields: Mapping[str, Any]) -> Reset:
    named = "rule" in fields or "source" in fields
    return Reset(_alarm(fields) if named else None, _by(fields))


def _shelve(fields: Mapping[str, Any]) -> Shelve:
    try:
        for_ns = Duration.parse(fields.get("for")).ns
    except ValueError as error:
        raise ValueError(f'for must be a duration such as "2h": {error}') from None
    if not 0 < for_ns <= LONGEST_SHELF_NS:
        raise ValueError("for must be more than nothing and at most 7d: take it out of service instead")
    return Shelve(_alarm(fields), for_ns, _note(fields))


def _note(fields: Mapping[str, Any], *, default: str | None = None) -> Note:
    return Note(_name(fields, "reason") if default is None or "reason" in fields else default, _by(fields))


def _remark(fields: Mapping[str, Any]) -> str:
    return _name(fields, "reason") if "reason" in fields else ""


def _alarm(fields: Mapping[str, Any]) -> AlarmId:
    return AlarmId(_name(fields, "rule"), SourceId(_name(fields, "source")))


def _by(fields: Mapping[str, Any]) -> str:
    return _name(fields, "by")


def _name(fields: Mapping[str, Any], key: str) -> str:
    name = fields.get(key)
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"{key} must be a text of 1 to {MAX_NAME} characters, not {_shown(name)}")
    if not name.isprintable():  # half a surrogate pair, which JSON can carry and no database
        raise ValueError(f"{key} must be a text that can be printed, not {_shown(name)}")
    return name


def _flag(fields: Mapping[str, Any], key: str) -> bool:
    value = fields.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false, not {_shown(value)}")
    return value


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
    "shelve": (("rule", "source", "for", "reason", "by"), _shelve),
    "unshelve": (
        ("rule", "source", "reason", "by"),
        lambda fields: Unshelve(_alarm(fields), _note(fields, default="unshelved")),
    ),
    "take_out_of_service": (
        ("rule", "source", "reason", "by"),
        lambda fields: TakeOutOfService(_alarm(fields), _note(fields)),
    ),
    "return_to_service": (
        ("rule", "source", "reason", "by"),
        lambda fields: ReturnToService(_alarm(fields), _note(fields, default="returned to service")),
    ),
    "report": ((), lambda _: Report()),
    "cleaning_start": (("reason", "by"), lambda fields: CleaningStart(_by(fields), _remark(fields))),
    "cleaning_finish": (("reason", "by"), lambda fields: CleaningFinish(_by(fields), _remark(fields))),
    "cleaning_cancel": (("reason", "by"), lambda fields: CleaningCancel(_by(fields), _remark(fields))),
    "update_check": ((), lambda _: UpdateCheck()),
    "update_install": (
        ("where", "older"),
        lambda fields: UpdateInstall(_name(fields, "where"), _flag(fields, "older")),
    ),
    "update_roll_back": (("by",), lambda fields: UpdateRollBack(_by(fields))),
}
"""Which fields each command takes, and what makes it of them."""
