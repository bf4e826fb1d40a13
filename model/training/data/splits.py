"""Which pictures are learned from and which are measured on: whole groups of twins, each class in its share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.intp]


def split(labels: npt.NDArray[np.bool_], groups: Integers, shares: Sequence[float], *, seed: int) -> Integers:
    """The part, 0 to len(shares) - 1, of each picture: (n,). Pictures of one group are in one part.

    `labels` and `groups` are (n,), `shares` add up to 1. Groups go one by one, the largest first and equals by lot, to
    the part that lacks most of their classes: with groups that are small against the parts, each part has its share of
    each class to within one group. The same seed gives the same parts.
    """
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    members = {group: np.flatnonzero(groups == group) for group in order.tolist()}
    wanted = np.outer(shares, [np.sum(~labels), np.sum(labels)]).astype(float)
    weight = 1 / np.maximum(wanted.sum(axis=0), 1)  # a rare class counts as much as the other
    had = np.zeros_like(wanted)
    parts = np.zeros(len(labels), np.intp)
    for group in sorted(order.tolist(), key=lambda group: -len(members[group])):  # sorted is stable
        dirty = int(np.sum(labels[members[group]]))
        more = np.array([len(members[group]) - dirty, dirty])
        lack = (((wanted - had) * weight) ** 2).sum(axis=1)
        lack_then = (((wanted - had - more) * weight) ** 2).sum(axis=1)
        part = int(np.argmin(lack_then - lack))
        had[part] += more
        parts[members[group]] = part
    return parts
