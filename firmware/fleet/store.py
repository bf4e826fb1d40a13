"""The file of a fleet: boards, rollouts, and each board's job. SQLite; the server and the commands share it.

One transaction for each change, on the medium before anybody is told of it (`synchronous=FULL`). Bounds: `MAX_BOARDS`,
`MAX_ROLLOUTS`, `MAX_FILE_BYTES`; beyond them a new board or rollout is refused, and what is there stays as it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from firmware.fleet.rows import (
    LAYOUT,
    SCHEMA,
    TICKETS,
    as_json,
    columns_of,
    member_of,
    rollout_of,
    row_of_rollout,
    ticket_of,
)
from firmware.fleet.types import Board, Moment, Rollout, Ticket
from ota.job_messages import Status
from ota.rollout import Phase, Progress, Step, step

MAX_BOARDS: Final = 10_000  # a fleet beyond that has a cloud
MAX_ROLLOUTS: Final = 50  # with those that are over: `forget` makes room
MAX_FILE_BYTES: Final = 512 * 1024 * 1024  # 10,000 boards in 50 rollouts, at about 1 kB a ticket
BUSY_S: Final = (
    5.0  # how long server and command wait for each other: a transaction of 10,000 boards takes half a second
)

OPEN = f"status IN ('{Status.QUEUED.value}', '{Status.IN_PROGRESS.value}')"

NOBODY = Progress()

REMEDIES = {
    sqlite3.SQLITE_FULL: f"Make room on that disk; if there is room, the file has its {MAX_FILE_BYTES >> 20} MB: "
    "`ductwatch ota rollout forget` what is over",
    sqlite3.SQLITE_READONLY: "Make file and folder writable for this user",
    sqlite3.SQLITE_CANTOPEN: "Check the path, and that its folder is there and writable",
    sqlite3.SQLITE_BUSY: "Another program holds it: try again",
    sqlite3.SQLITE_NOTADB: "It is no file of ductwatch's: name another with --state",
    sqlite3.SQLITE_CORRUPT: "It is damaged: set it aside, and start anew; boards keep what they have",
}


class StoreFailed(Exception):
    """The file cannot be used now, or not at all. Nothing was changed."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


class Full(StoreFailed):
    """A bound is reached."""


class Store:
    """An open file. Each method raises `StoreFailed`; use it from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """When no call is under way."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else in between."""
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def listened(self, seconds: float, at: int) -> float:
        """Let the server's clock go on by this much, and return it. `at` is kept as when it was heard of last."""
        with self._translated():
            row = self._db.execute(
                "UPDATE clock SET listened_s = listened_s + ?, heard_at = ? RETURNING listened_s", (seconds, at)
            ).fetchall()
        return float(row[0][0])

    def clock(self) -> tuple[float, int | None]:
        """The server's clock, and when it was heard of last (seconds since 1970); None if never."""
        with self._translated():
            listened_s, heard_at = self._db.execute("SELECT listened_s, heard_at FROM clock").fetchone()
        return listened_s, heard_at

    def meet(self, board: Board) -> None:
        """Nothing is written where it is known already. Raises `Full` for one board too many."""
        with self._translated():
            row = self._db.execute("SELECT availability FROM board WHERE name = ?", (board.name,)).fetchone()
            if row == (board.availability,):
                return
            if row is None and self._count("board") >= MAX_BOARDS:
                raise Full(f"{self._path} has {MAX_BOARDS} boards", remedy="Use a cloud's fleet service")
            self._db.execute("INSERT OR REPLACE INTO board VALUES (?, ?)", (board.name, board.availability))

    def miss(self, board: str) -> None:
        """The broker knows it no more. What it had to do stays."""
        with self._translated():
            self._db.execute("DELETE FROM board WHERE name = ?", (board,))

    def boards(self) -> list[Board]:
        """All that the broker told of, by name."""
        with self._translated():
            rows = self._db.execute("SELECT name, availability FROM board ORDER BY name").fetchall()
        return [Board(name=name, availability=availability) for name, availability in rows]

    def add(self, rollout: Rollout, progress: Progress = NOBODY) -> None:
        """With the boards that are in it from the start. Raises `Full`, and `StoreFailed` for an id used before."""
        with self.transaction():
            if self._count("rollout") >= MAX_ROLLOUTS:
                remedy = "`ductwatch ota rollout forget` one that is over"
                raise Full(f"{self._path} has {MAX_ROLLOUTS} rollouts", remedy=remedy)
            if self.rollout(rollout.id) is not None:
                remedy = "Give each rollout a name of its own: it decides which boards come first"
                raise StoreFailed(f"there was a rollout {rollout.id!r} before", remedy=remedy)
            self._db.execute(
                "INSERT INTO rollout (id, plan, document, boards, made_at, moved_at, phase, why) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row_of_rollout(rollout),
            )
            self.save(rollout, Progress(), progress, Moment(rollout.made_at, 0))

    def move(self, name: str, event: Step, why: str, now: Moment) -> Rollout:
        """What an operator wants of a rollout. Raises KeyError for what its phase does not allow, or without one."""
        with self.transaction():
            rollout = self.rollout(name)
            if rollout is None:
                raise KeyError(name)
            before = Progress(phase=rollout.phase, why=rollout.why)
            self.save(rollout, before, step(before, event, why), now)
            moved = self.rollout(name)
        assert moved is not None
        return moved

    def forget(self, rollout: str) -> None:
        """With all its tickets."""
        with self._translated():
            self._db.execute("DELETE FROM rollout WHERE id = ?", (rollout,))

    def rollouts(self) -> list[Rollout]:
        """Oldest first."""
        with self._translated():
            rows = self._db.execute(
                "SELECT plan, document, boards, made_at, moved_at, phase, why FROM rollout ORDER BY number"
            ).fetchall()
            return [rollout_of(row) for row in rows]

    def unfinished(self) -> list[Rollout]:
        """Those in which something may still move: an aborted one has boards that had begun."""
        with self._translated():
            busy = {row[0] for row in self._db.execute(f"SELECT DISTINCT rollout FROM ticket WHERE {OPEN}")}
        return [one for one in self.rollouts() if one.phase in (Phase.RUNNING, Phase.PAUSED) or one.id in busy]

    def rollout(self, name: str) -> Rollout | None:
        return next((one for one in self.rollouts() if one.id == name), None)

    def progress(self, rollout: Rollout) -> Progress:
        """How far it is, with all its boards."""
        with self._translated():
            rows = self._db.execute(
                "SELECT board, cohort, status, offered_s, settled_s FROM ticket WHERE rollout = ?", (rollout.id,)
            ).fetchall()
        members = {board: member_of(*columns) for board, *columns in rows}
        return Progress(phase=rollout.phase, members=members, why=rollout.why)

    def save(self, rollout: Rollout, before: Progress, after: Progress, now: Moment) -> list[str]:
        """Write what differs, in a transaction of the caller's. Returns the boards whose jobs have moved."""
        changed = [board for board, one in after.members.items() if before.members.get(board) != one]
        with self._translated():
            self._db.executemany(
                "INSERT INTO ticket (rollout, board, cohort, status, offered_s, settled_s, queued_at, updated_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET status = excluded.status, "
                "offered_s = excluded.offered_s, settled_s = excluded.settled_s, updated_at = excluded.updated_at, "
                "queued_at = iif(ticket.status IS NULL, excluded.queued_at, ticket.queued_at), "
                "version = iif(ticket.status IS NULL, 1, ticket.version + 1), due_s = NULL",
                [(rollout.id, board, *columns_of(after.members[board]), now.at, now.at) for board in changed],
            )
            if (after.phase, after.why) != (before.phase, before.why):
                self._db.execute(
                    "UPDATE rollout SET phase = ?, why = ?, moved_at = ? WHERE id = ?",
                    (after.phase.value, after.why, now.at, rollout.id),
                )
        return [board for board in changed if after.members[board].status is not None]

    def tickets(self, board: str) -> list[Ticket]:
        """All jobs that this board has or had, oldest first."""
        with self._translated():
            rows = self._db.execute(f"{TICKETS} AND t.board = ? ORDER BY r.number", (board,)).fetchall()
            return [ticket_of(row) for row in rows]

    def tickets_of(self, rollout: str) -> list[Ticket]:
        """Of all boards that have had the offer, by name."""
        with self._translated():
            rows = self._db.execute(f"{TICKETS} AND t.rollout = ? ORDER BY t.board", (rollout,)).fetchall()
            return [ticket_of(row) for row in rows]

    def overdue(self, listened_s: float) -> list[Ticket]:
        """Those whose step has timed out."""
        with self._translated():
            rows = self._db.execute(f"{TICKETS} AND t.due_s <= ?", (listened_s,)).fetchall()
            return [ticket_of(row) for row in rows]

    def waiting_boards(self) -> list[str]:
        """Boards that have a job which is not over."""
        with self._translated():
            rows = self._db.execute(f"SELECT DISTINCT board FROM ticket WHERE {OPEN} ORDER BY board").fetchall()
        return [board for (board,) in rows]

    def write(self, ticket: Ticket) -> None:
        """What a board has moved."""
        with self._translated():
            self._db.execute(
                "UPDATE ticket SET cohort = ?, status = ?, offered_s = ?, settled_s = ?, version = ?, details = ?, "
                "started_at = ?, updated_at = ?, due_s = ? WHERE rollout = ? AND board = ?",
                (
                    *columns_of(ticket.member),
                    ticket.version,
                    as_json(ticket.details),
                    ticket.started_at,
                    ticket.updated_at,
                    ticket.due_s,
                    ticket.rollout,
                    ticket.board,
                ),
            )

    def _prepare(self) -> None:
        self._check()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        page_bytes = self._db.execute("PRAGMA page_size").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count = {MAX_FILE_BYTES // page_bytes}").fetchall()
        with self.transaction():
            if self._count("sqlite_schema") == 0:  # otherwise another process was faster
                for statement in filter(str.strip, SCHEMA.split(";")):
                    self._db.execute(statement)

    def _check(self) -> None:
        """Before anything is written: it may be another program's."""
        layout = self._db.execute("PRAGMA user_version").fetchone()[0]
        if layout != LAYOUT and self._count("sqlite_schema"):
            remedy = "Another version of ductwatch, or another program, wrote it: name another file with --state"
            raise StoreFailed(f"{self._path} has layout {layout}, not {LAYOUT}", remedy=remedy)

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the primary result code
            remedy = REMEDIES.get(code, "Check the disk that the file is on")
            raise StoreFailed(f"{self._path} cannot be used: {error}", remedy=remedy) from error
        except OSError as error:
            raise StoreFailed(f"{self._path} cannot be used: {error.strerror}", remedy="Check the path") from error
        except (ValueError, msgspec.MsgspecError) as error:
            remedy = REMEDIES[sqlite3.SQLITE_CORRUPT]
            raise StoreFailed(f"{self._path} has a row that is none of ours: {error}", remedy=remedy) from error
