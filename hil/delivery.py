"""What a receiver may rely on, checked over all it got: docs/events.md, "What a receiver can rely on"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.mosquitto import Received

CLASSES = {"alarm": 0, "health_change": 0, "cleaning": 0, "reading": 1, "verdict": 1, "health_report": 1, "picture": 2}
WINDOW = 18  # messages on their way at once, which a broken connection may bring twice: 16 and 2 in reserve
UNNUMBERED = ("availability", "command", "reply")  # ends of topics


def numbered(messages: Iterable[Received]) -> dict[str, list[tuple[int, int]]]:
    """For each start of the firmware, by `boot_id`: number and class of each message, as they came first.

    QoS 1 may bring one more than once, always with the same number: what has been seen is dropped. The start whose
    message came last stands last.
    """
    came: dict[str, list[tuple[int, int]]] = {}
    seen: set[tuple[str, int]] = set()
    for boot, seq, kind in _identities(messages):
        if (boot, seq) not in seen:
            seen.add((boot, seq))
            rows = came.pop(boot, [])
            rows.append((seq, kind))
            came[boot] = rows
    return came


def repeated(messages: Iterable[Received]) -> int:
    """How many came that had come before."""
    identities = [(boot, seq) for boot, seq, _ in _identities(messages)]
    return len(identities) - len(set(identities))


def missing(came: Mapping[str, Sequence[tuple[int, int]]], *, tail: int = 0) -> dict[str, list[int]]:
    """Of each start, the numbers from 1 to the last that have not come; `tail` as in `check_delivery`."""
    lost: dict[str, list[int]] = {}
    newest = next(reversed([*came]), None)
    for boot, rows in came.items():
        numbers = {number for number, _ in rows}
        spared = 0 if boot == newest else tail
        absent = set(range(1, max(numbers) - spared)) - numbers
        if absent:
            lost[boot] = sorted(absent)
    return lost


def check_delivery(messages: Iterable[Received], *, tail: int = 0) -> int:
    """Complete, and in each class in order. Returns how many there were. Raises AssertionError that names what is not.

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


def _identities(messages: Iterable[Received]) -> Iterable[tuple[str, int, int]]:
    for message in messages:
        if not message.topic.startswith("homeassistant/") and not message.topic.endswith(UNNUMBERED):
            fields = message.fields
            yield fields["boot_id"], fields["seq"], CLASSES[fields["type"]]
