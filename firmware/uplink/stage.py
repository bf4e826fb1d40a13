"""Messages that the outbox has accepted and not yet written. Pure; bounded, since a disk may stay full."""

from __future__ import annotations

from collections.abc import Container, Iterator

from firmware.uplink.spool import Row
from firmware.uplink.wire import Priority

MAX_ROWS = 4096  # minutes of a full board
MAX_BYTES = 4 * 1024 * 1024

RowId = tuple[str, int]


class Stage:
    """Rows of this start in the order of acceptance, by class. At a bound the oldest of the lowest class goes."""

    def __init__(self, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> None:
        self.size_bytes = 0
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._rows: dict[Priority, dict[RowId, Row]] = {priority: {} for priority in Priority}

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._rows.values())

    def __iter__(self) -> Iterator[Row]:
        """In the order of sending."""
        for priority in Priority:
            yield from self._rows[priority].values()

    def __contains__(self, row: Row) -> bool:
        return row.id in self._rows[row.priority]

    def add(self, row: Row, *, spare: Container[RowId] = ()) -> list[Row]:
        """Add a row; return those that had to go for it. Rows in `spare` stay: they are on their way."""
        self._rows[row.priority][row.id] = row
        self.size_bytes += row.size_bytes
        gone: list[Row] = []
        while len(self) > self._max_rows or self.size_bytes > self._max_bytes:
            victim = self._lowest(spare)
            if victim is None:
                break  # everything is on its way: a connection's window, which is bounded too
            self.remove(victim)
            gone.append(victim)
        return gone

    def remove(self, row: Row) -> bool:
        """False if it was not there."""
        if self._rows[row.priority].pop(row.id, None) is None:
            return False
        self.size_bytes -= row.size_bytes
        return True

    def _lowest(self, spare: Container[RowId]) -> Row | None:
        for priority in reversed(Priority):
            for row in self._rows[priority].values():
                if row.id not in spare:
                    return row
        return None
