"""`ductwatch cleaning`: begins and finishes a cleaning of the duct that the running firmware watches."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware.asking import asked, data_directory, user
from firmware.cleaning_reports import FOLDER, listed
from firmware.errors import ConfigError

EX_NOT_DONE = 1

STATES = {
    "idle": "No cleaning is under way.",
    "cleaning": "The duct is being cleaned.",
    "verifying": "The cameras look whether the duct is clean.",
}
ENDS = {
    "verify": "was verified",
    "give_up": "was not verified",
    "cancel": "was cancelled",
    "abandon": "was not finished in time",
}
STEPS = {"start": "begun", "finish": "finished"}


def main(arguments: Namespace) -> int:
    """1 if it cannot be done now, or if there is no report. Raises `ConfigError` if nobody answers."""
    arguments = Namespace(**{"json": False} | vars(arguments))
    match arguments.action:
        case None | "status":
            reply = asked(arguments, {"command": "cleaning"})
            print(json.dumps(reply, indent=2) if arguments.json else _status(reply))
            return 0
        case "report":
            return _reports(data_directory(arguments) / FOLDER, everything=arguments.list, as_json=arguments.json)
        case action:
            request = {"command": f"cleaning_{action}", "by": arguments.by or user()}
            reply = asked(arguments, request | ({"reason": arguments.reason} if arguments.reason else {}))
            print(json.dumps(reply, indent=2) if arguments.json else _sentence(reply["text"]))
            return 0 if reply["done"] else EX_NOT_DONE


def _reports(folder: Path, *, everything: bool, as_json: bool) -> int:
    """Without the firmware: it may not run any more when a report is wanted."""
    try:
        reports = listed(folder)
    except FileNotFoundError:
        reports = []
    except OSError as error:
        problem = f"{folder}: cannot be read: {error.strerror}"
        raise ConfigError(f"{problem}. Its group may: add yourself to it, or use sudo") from error
    shown = [str(path) for path in (reports if everything else reports[-1:])]
    if as_json:
        print(json.dumps({"reports": shown}, indent=2))
    else:
        print("\n".join(shown) or "No cleaning has been reported on so far.")
    return 0 if shown else EX_NOT_DONE


def _status(reply: Mapping[str, Any]) -> str:
    lines = [STATES[reply["state"]], *map(_step, reply["steps"])]
    if reply["state"] == "cleaning":
        lines.append(f"pictures from before: {_names(reply['before'])}")
    if reply["state"] == "verifying":
        rows = ", ".join(f"{camera} {many} of {reply['needed']}" for camera, many in reply["clean_in_a_row"].items())
        lines.append(f"clean in a row after {reply['snapshots']} snapshots: {rows}")
    if last := reply["last"]:
        lines.append(f"The last one {ENDS[last['event']]}{_reported(last['report'])}.")
    return "\n".join(lines)


def _step(step: Mapping[str, Any]) -> str:
    doubt = "" if step["time_trusted"] else " (clock not synchronised)"
    reason = f": {step['reason']}" if step["reason"] else ""
    return f"{STEPS[step['event']]:<9} {step['time']}{doubt}, by {step['by']}{reason}"


def _names(cameras: Sequence[str]) -> str:
    return ", ".join(cameras) or "none yet: wait before you open the duct"


def _reported(report: str | None) -> str:
    return f": {report} in the data directory" if report else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
