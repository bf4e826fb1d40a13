"""From the text of a rule's `when` to something that answers it many thousand times a second."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.types import Quantity, SourceId
from firmware.rules.expression.check import check
from firmware.rules.expression.generate import function
from firmware.rules.expression.parse import parse
from firmware.rules.expression.tree import Signal, SignalRef, WindowRef, leaves
from firmware.rules.names import SIGNALS


@dataclass(frozen=True, slots=True)
class Condition:
    """A `when`, ready to be asked. Conditions of the same text are equal.

    `signals` are those whose last value counts, `windows` what functions make of earlier ones, each once and in the
    order of the text. `mentioned` are all signals, in windows or not.
    """

    text: str
    signals: tuple[SignalRef, ...]
    windows: tuple[WindowRef, ...]
    mentioned: tuple[SignalRef, ...]
    ask: Callable[[Sequence[float | None]], bool | None] = field(compare=False, repr=False)
    """The answer for the values of `signals` and then of `windows`, as many as these are. None is unknown, as a value
    and as an answer. No value is NaN or infinite."""


def compile_rule(
    text: str, *, quantities: Mapping[str, Quantity] = SIGNALS, sources: Collection[SourceId] | None = None
) -> Condition:
    """Raises `BadExpression` for whatever cannot be meant.

    `quantities` are the signals that there are, `sources` the devices that `of["..."]` may name; None takes any.
    """
    root = check(parse(text), text, quantities=quantities, sources=sources)
    found = list(leaves(root))
    signals = tuple(dict.fromkeys(leaf.ref for leaf in found if isinstance(leaf, Signal)))
    windows = tuple(dict.fromkeys(leaf.ref for leaf in found if not isinstance(leaf, Signal)))
    mentioned = tuple(dict.fromkeys(leaf.ref if isinstance(leaf, Signal) else leaf.ref.of for leaf in found))
    values: tuple[SignalRef | WindowRef, ...] = (*signals, *windows)
    ask = function(root, {ref: place for place, ref in enumerate(values)})
    return Condition(text, signals, windows, mentioned, ask)
