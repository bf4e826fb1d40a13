"""`ductwatch ota status | check | install | rollback | history`: the technician's side, by the running firmware."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware.asking import asked, user
from firmware.errors import ConfigError
from firmware.wording import since

EX_NOT_DONE = 1
LOOK_S = 0.5
FOLLOWED = ("asking", "fetching", "examining")
"""What `check` and `install` wait for: a trial takes hours."""

TAKEN = ("trying", "proving", "reloading")
"""What it is at once a model was taken."""

DOING = {
    "starting": "starting",
    "waiting": "waiting to ask, or to be asked",
    "asking": "asking for a new model",
    "fetching": "fetching",
    "examining": "examining, while the cameras run:",
    "trying": "trying beside the model that counts:",
    "proving": "on probation, it counts:",
    "reloading": "about to load another model",
}


def main(arguments: Namespace) -> int:
    """1 if it was not done. Raises `ConfigError` if nobody answers or the firmware refuses."""
    arguments = Namespace(**{"json": False} | vars(arguments))
    match arguments.action:
        case "status":
            _print(arguments, reply := asked(arguments, {"command": "update"}), _status(reply))
            return 0
        case "history":
            reply = asked(arguments, {"command": "update"})
            history = reply.get("history", [])[-arguments.limit :]
            _print(arguments, {**reply, "history": history}, _history(history))
            return 0
        case "rollback":
            return _done(arguments, asked(arguments, {"command": "update_roll_back", "by": arguments.by or user()}))
        case "check":
            request: dict[str, Any] = {"command": "update_check"}
        case _:
            request = {"command": "update_install", "where": _where(arguments.where), "older": arguments.older}
    before = asked(arguments, {"command": "update"}).get("asked", 0)
    reply = asked(arguments, request)
    if not reply["done"] or not arguments.wait:
        return _done(arguments, reply)
    return _follow(arguments, before)


def _where(text: str) -> str:
    """A folder as the firmware finds it, which runs elsewhere."""
    return text if "://" in text else str(Path(text).absolute())


def _follow(arguments: Namespace, before: int) -> int:
    """Show how far it is, until it is known whether the model is taken on trial."""
    shown, begun = "", False
    while True:
        reply = asked(arguments, {"command": "update"})
        line, begun = _doing(reply), begun or reply["asked"] > before
        if not begun and not reply["wanted"]:
            raise ConfigError("The firmware began anew before it asked. Do it again.")
        if begun and line != shown and not arguments.json:
            print(line, file=sys.stderr)
            shown = line
        if begun and reply["doing"] not in FOLLOWED:
            break
        time.sleep(LOOK_S)
    last = reply["last"]
    _print(arguments, reply, _last(last) if last else _doing(reply))
    return 0 if last.get("outcome", "none") == "none" and (last or reply["doing"] in TAKEN) else EX_NOT_DONE


def _done(arguments: Namespace, reply: Mapping[str, Any]) -> int:
    _print(arguments, reply, f"{reply['text'][:1].upper()}{reply['text'][1:]}.")
    return 0 if reply["done"] else EX_NOT_DONE


def _print(arguments: Namespace, reply: Mapping[str, Any], words: str) -> None:
    print(json.dumps(reply, indent=2) if arguments.json else words)


def _status(reply: Mapping[str, Any]) -> str:
    if "running" not in reply:
        return "This board takes no updates: its model is named by [model] path, or it keeps nothing."
    running = reply["running"]
    lines = [f"{running['model']} {running['version']}, release {running['release_counter']}, counts.", _doing(reply)]
    lines += [
        f"  slot {slot['name']}: {slot['state']:<9} {slot['release']}, release {slot['release_counter']},"
        f" for {since(slot['for_s'])}"
        for slot in reply["slots"]
    ]
    if reply["root"]:
        where = reply["repository"] or "no repository: only what is installed by hand"
        lines.append(f"Channel {reply['channel']}, {where}.")
    else:
        lines.append("No [update] root, so that nothing can be proved: no model is taken, by hand neither.")
    if reply["last"]:
        lines.append(_last(reply["last"]))
    if reply["job"]:
        lines.append(_job(reply["job"]))
    return "\n".join(lines)


def _doing(reply: Mapping[str, Any]) -> str:
    words = f"{DOING[reply['doing']]} {reply['release']}".rstrip(" :")
    if reply["of"]:
        unit = "bytes" if reply["doing"] == "fetching" else "pictures"
        words += f", {reply['here']:,} of {reply['of']:,} {unit}"
    return words[:1].upper() + words[1:]


def _job(job: Mapping[str, Any]) -> str:
    wanted = f"{job['model']} {job['release_counter']} of {job['channel']}"
    details = ", ".join(f"{name} {value}" for name, value in job["details"].items())
    how = f"waits {job['waits']}" if job["waits"] else details
    return f"Job {job['id']}, {wanted}: {job['status'].replace('_', ' ').lower()}" + (f": {how}" if how else "")


def _last(last: Mapping[str, Any]) -> str:
    figures = ", ".join(f"{name} {value:g}" for name, value in last.get("figures", {}).items())
    words = "nothing new" if last["outcome"] == "none" else last["outcome"].replace("_", " ")
    return f"Last time, {since(last['ago_s'])} ago: {words}: {last['why']}" + (f" ({figures})" if figures else "")


def _history(history: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"{one['time']}  {one['release']}: {one['event'].replace('_', ' ')}, slot {one['slot']}: {one['why']}"
        for one in history
    ]
    return "\n".join(lines) or "Nothing has happened yet."
