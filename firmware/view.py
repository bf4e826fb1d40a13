"""What the board notices, as it happens, for a technician at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from drivers.types import NS_PER_S, Instant, Reading, SourceId
from firmware.alarms.types import AlarmId
from firmware.events import Event
from firmware.terminal import Colours, Row, Span, Style, paint, printable
from firmware.thumbnail import GAP, columns, side_by_side
from firmware.wording import LABELS, NO_TIME, TIME_WIDTH, readings_rows, rows
from model.types import Label, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class View:
    """Lines for one event after another. What belongs to one moment is gathered: readings by their source,
    and the cameras' pictures, which are shown where a label changes.
    """

    def __init__(
        self,
        *,
        start: Instant,
        width: int,
        colours: Colours,
        cameras: Sequence[SourceId] = (),
        action: Callable[[AlarmId], str] = lambda _: "",
    ) -> None:
        """`cameras` is the order of their pictures; `action` says what to do about an alarm, or nothing."""
        self._start = start
        self._width = width
        self._colours = colours
        self._action = action
        self._readings: list[Reading] = []
        self._labels: dict[SourceId, Label] = {}
        self._pictures: dict[SourceId, NDArray[np.uint8] | None] = dict.fromkeys(cameras)
        self._changed_at: Instant | None = None
        self._after_gap = True

    def saw(self, camera: SourceId, picture: NDArray[np.uint8]) -> None:
        """Take the picture of which a verdict is about to come: (height, width, 3) of RGB, small."""
        if camera in self._pictures:
            self._pictures[camera] = picture

    def lines(self, event: Event) -> list[str]:
        """What to print now. What it gathers comes before the next event of another moment, or with `flush`."""
        gathered_at = self._readings[0].at if self._readings else self._changed_at
        ready = self.flush() if gathered_at not in (None, event.at) else []
        if isinstance(event, Reading):
            self._readings = [one for one in self._readings if not _is_same(one, event)] + [event]
            return ready
        if isinstance(event, Verdict):
            if self._labels.get(event.source) is not event.label:
                self._changed_at = event.at
            self._labels[event.source] = event.label
        return ready + self._painted(rows(event, self._stamp(event.at), self._width, self._action))

    def flush(self) -> list[str]:
        """What was gathered. Call it when nothing more is to come for a while."""
        ready: list[str] = []
        if self._readings:
            ready += self._painted(readings_rows(self._readings, self._stamp(self._readings[0].at), self._width))
            self._readings = []
        if self._changed_at is not None:
            ready += self._side_by_side()
            self._changed_at = None
        return ready

    def _stamp(self, at: Instant) -> Span:
        return f"{since(self._start, at):>{TIME_WIDTH - 2}}  ", Style.DIM

    def _painted(self, made: list[Row]) -> list[str]:
        return self._spaced([paint(row, self._colours) for row in made])

    def _spaced(self, lines: list[str]) -> list[str]:
        """Of two gaps in a row, one."""
        kept = []
        for line in lines:
            if line or not self._after_gap:
                kept.append(line)
            self._after_gap = not line
        return kept

    def _side_by_side(self) -> list[str]:
        seen = {name: picture for name, picture in self._pictures.items() if picture is not None}
        room = self._width - TIME_WIDTH
        drawn = side_by_side(list(seen.values()), room, self._colours)
        if not drawn:
            return []
        wide = columns(len(seen), room) + len(GAP)
        captions: Row = [NO_TIME]
        for name in seen:
            title, style = LABELS[self._labels.get(name, Label.CANNOT_TELL)]
            captions += [(f"{printable(name)}  ", Style.BOLD), (f"{title:<{max(0, wide - len(name) - 2)}}", style)]
        return self._spaced(["", paint(captions, self._colours), *(NO_TIME[0] + line for line in drawn), ""])


def since(start: Instant, at: Instant) -> str:
    """Time since the start: `0:07`, `1:02:03`, `2d 01:02`."""
    seconds = max(0, at - start) // NS_PER_S
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days}d {hours:02}:{minutes:02}"
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def _is_same(one: Reading, other: Reading) -> bool:
    """Said again at the same moment: shown once."""
    return one.source == other.source and one.quantity is other.quantity
