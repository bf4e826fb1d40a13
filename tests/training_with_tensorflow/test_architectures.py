"""The names on the command line are those of the networks."""

from __future__ import annotations

from model.training.architectures import ARCHITECTURES
from model.training.train import NAMES, SHIPPED


def test_each_network_can_be_asked_for_by_its_name() -> None:
    assert tuple(ARCHITECTURES) == NAMES
    assert SHIPPED in NAMES
