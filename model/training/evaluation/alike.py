"""Which of the pictures that are measured on look alike: a series of one thing is no more proof than one of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.training.data.looking import look_at_all
from model.training.data.samples import Sample
from model.training.data.twins import groups
from model.training.evaluation.paired import Groups


def groups_of(samples: Sequence[Sample]) -> Groups:
    """A number (n,) for each picture, equal for twins. What cannot be decoded is nobody's twin."""
    looks = list(look_at_all(samples))
    prints = {place: look.seen.prints for place, look in enumerate(looks) if look.seen.prints is not None}
    numbers = np.arange(len(samples))
    if prints:
        places = np.array(list(prints))
        numbers[places] = places[groups(np.stack(list(prints.values())))]
    return numbers
