"""The names of signals as rules write them, and which name may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from drivers.types import Quantity

SIGNALS = {each.signal: each for each in Quantity}


def nearest(word: object, known: Iterable[str]) -> str:
    """` (did you mean 'pm2_5'?)`, or nothing."""
    near = difflib.get_close_matches(str(word)[:80], list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
