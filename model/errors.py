"""What goes wrong with pictures and models, by what the caller does about it."""

from __future__ import annotations

TO_TRAIN = "in ductwatch's checkout, .venv/bin/pip install -e '.[train]'"  # it is in no package index


class ModelError(Exception):
    """A picture or a model failed. The message says what happened, and what a technician does about it."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


class Unreadable(ModelError):
    """This picture cannot be decoded: judge the next one."""


class UnfitModel(ModelError):
    """This model must not judge on this board: keep the model before, or install another bundle."""


class NoPlace(ModelError):
    """There is nowhere to write: nothing was written, or what was there before is whole."""
