"""The readable view on stdout: events as lines, with small pictures of what the cameras see."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drivers.types import Instant, SourceId
from firmware.alarms.types import AlarmId
from firmware.events import Event
from firmware.photography import Shot
from firmware.rules.types import Rule
from firmware.terminal import Colours, colours
from firmware.view import View
from model.errors import Unreadable
from model.tensors import Decoder

THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH = 60, 80


@dataclass(frozen=True, slots=True)
class Screen:
    """Puts a view's lines where they are written from. `put` must not block."""

    view: View
    put: Callable[[str], None]
    decoder: Decoder | None  # None where no pictures can be shown

    def show(self, event: Event) -> None:
        for line in self.view.lines(event):
            self.put(line)

    def see(self, shot: Shot) -> None:
        """Decode a thumbnail of a shot for the view: about a millisecond, only while somebody looks."""
        if self.decoder is None:
            return
        try:
            self.view.saw(shot.lit.source, self.decoder.decode(shot.lit))
        except Unreadable:
            return  # its verdict says so

    def end(self) -> None:
        for line in self.view.flush():
            self.put(line)


def screen(
    put: Callable[[str], None],
    *,
    start: Instant,
    cameras: Sequence[SourceId],
    rules: Sequence[Rule],
    environment: Mapping[str, str] = os.environ,
    is_terminal: bool,
) -> Screen:
    """A screen for this terminal, or for a file where it is none."""
    actions = {rule.name: rule.annotations.action for rule in rules}

    def action(alarm: AlarmId) -> str:
        return actions.get(alarm.rule, "")

    shown = colours(environment, is_terminal=is_terminal)
    view = View(start=start, width=shutil.get_terminal_size().columns, colours=shown, cameras=cameras, action=action)
    return Screen(view, put, None if shown is Colours.NONE else Decoder(THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH))
