"""A fleet's rollout for tests, with what matters named, and a board that speaks by its port."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

import msgspec

from firmware.fleet.types import Rollout
from ota.job_messages import JobDocument, JobTopics, Publication
from ota.jobs import Jobs, Outcome
from ota.rollout import Plan

PREFIX = "ductwatch"
HOUR_S = 3600.0


def rollout(name: str = "r1", *, boards: Iterable[str] = ("duct-*",), **plan: object) -> Rollout:
    """The whole fleet at once, without a soak, unless `plan` says otherwise."""
    defaults = {"percents": [100], "soak_s": 0, "deadline_s": 24 * HOUR_S, "max_failures": 1}
    document = JobDocument(channel="stable", model="visual-clean", release_counter=12, rollout=name)
    return Rollout(
        plan=msgspec.convert({"rollout": name} | defaults | plan, Plan),
        document=document,
        boards=tuple(boards),
        made_at=1_700_000_000,
        moved_at=1_700_000_000,
    )


class Board:
    """What a board of this name says and hears; who carries it is the test's business."""

    def __init__(self, name: str) -> None:
        numbers = itertools.count(1)
        self.name = name
        self.topics = JobTopics(PREFIX, name)
        self.port = Jobs(self.topics, token=lambda: f"{name}-{next(numbers)}")

    def hears(self, publications: Iterable[Publication]) -> list[Outcome]:
        outcomes = (self.port.received(one.topic, one.payload) for one in publications)
        return [outcome for outcome in outcomes if outcome is not None]


def fields(publication: Publication) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(publication.payload)
    return decoded
