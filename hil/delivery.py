"""What a receiver may rely on, checked over all it got: docs/events.md, "What a receiver can rely on"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tests.mosquitto import Received

CLASSES = {"alarm": 0, "health_change": 0, "reading": 1, "verdict": 1, "health_report": 1, "picture": 2}


def numbered(messages: Iterable[Received]) -> dict[str, list[tuple[int, int]]]:
    """For each start of the firmware, by `boot_id`: number and class of each message, as they came first.

    QoS 1 may bring one more than once, always with the same number: what has been seen is dropped.
    """
    came: dict[str, list[tuple[int, int]]] = defaultdict(list)
    seen: set[tuple[str, int]] = set()
    for message in messages:
        if message.topic.startswith("homeassistant/") or message.topic.endswith(("availability", "command", "reply")):
            continue
        fields = message.fields
        identity = fields["boot_id"], fields["seq"]
        if identity not in seen:
            seen.add(identity)
            came[fields["boot_id"]].append((fields["seq"], CLASSES[fields["type"]]))
    return came


def missing(came: Mapping[str, Sequence[tuple[int, int]]], *, tail: int = 0) -> dict[str, list[int]]:
    """Of each start, the numbers between the first and the last that have not come; `tail` as in `check_delivery`."""
    lost: dict[str, list[int]] = {}
    for boot, rows in came.items():
        numbers = {number for number, _ in rows}
        absent = set(range(min(numbers), max(numbers) - tail)) - numbers
        if absent:
            lost[boot] = sorted(absent)
    return lost


def check_delivery(messages: Iterable[Received], *, tail: int = 0) -> int:
    """Complete, and in each class in order. Returns how many there were.

    `tail`: how many of the last numbers of each start but the newest may be missing, after a power cut.
    """
    came = numbered(messages)
    assert came, "nothing came at all"
    assert not (lost := missing(came, tail=tail)), f"these never came: {lost}"
    for boot, rows in came.items():
        for kind in set(CLASSES.values()):
            in_class = [number for number, of in rows if of == kind]
            assert in_class == sorted(in_class), f"{boot}: class {kind} came out of order"
    return sum(map(len, came.values()))
