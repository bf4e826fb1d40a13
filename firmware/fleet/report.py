"""How far a rollout is, in plain values: what `--json` prints, and what tables are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from firmware.fleet.store import Store
from firmware.fleet.types import Rollout, Ticket
from ota.rollout import Phase, Progress, WaitUntil, decide, totals

SILENT_S = 30  # a server that was not heard of for so long does not run: it says so every few seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One rollout. After `wait_s` seconds of the server's clock something is to be done although nothing is heard."""

    rollout: Rollout
    progress: Progress
    tickets: Sequence[Ticket]
    availability: Mapping[str, str]
    is_served: bool
    wait_s: float | None

    def as_dict(self) -> dict[str, Any]:
        """As docs/ota-rollout.md describes it."""
        rollout, progress = self.rollout, self.progress
        return {
            "rollout": rollout.id,
            "phase": rollout.phase.value,
            "why": rollout.why,
            "made_at": _time(rollout.made_at),
            "moved_at": _time(rollout.moved_at),
            "plan": msgspec.to_builtins(rollout.plan),
            "document": msgspec.json.decode(rollout.document.encoded()),
            "is_served": self.is_served,
            "wait_s": None if self.wait_s is None else round(self.wait_s, 1),
            "totals": asdict(totals(progress)),
            "cohorts": [
                {"percent": percent, **asdict(totals(progress, number))}
                for number, percent in enumerate(rollout.plan.percents)
            ],
            "boards": self.boards(),
        }

    def boards(self) -> list[dict[str, Any]]:
        """By name: what each board's job has come to. Without a status it has not been offered the job."""
        tickets = {ticket.board: ticket for ticket in self.tickets}
        return [
            {
                "board": board,
                "cohort": member.cohort + 1,
                "status": None if member.status is None else member.status.value,
                "details": dict(tickets[board].details) if board in tickets else {},
                "updated_at": _time(tickets[board].updated_at) if board in tickets else None,
                "availability": self.availability.get(board),
            }
            for board, member in sorted(self.progress.members.items())
        ]


def report(store: Store, rollout: Rollout, at: int) -> Report:
    """Raises `StoreFailed`. `at` is now, in seconds since 1970."""
    progress = store.progress(rollout)
    listened_s, heard_at = store.clock()
    waits = [one.at_s for one in decide(rollout.plan, progress, listened_s) if isinstance(one, WaitUntil)]
    return Report(
        rollout=rollout,
        progress=progress,
        tickets=store.tickets_of(rollout.id),
        availability={board.name: board.availability for board in store.boards()},
        is_served=heard_at is not None and at - heard_at < SILENT_S,
        wait_s=max(0.0, waits[0] - listened_s) if waits else None,
    )


def is_over(one: Report) -> bool:
    """Nothing more will come of it: also no report of a board that had begun before an abort."""
    some = totals(one.progress)
    settled = not (some.queued or some.in_progress)
    return one.rollout.phase is Phase.FINISHED or (one.rollout.phase is Phase.ABORTED and settled)


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
