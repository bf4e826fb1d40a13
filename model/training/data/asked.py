"""The photos that a command line asks for, as a person decided on them beside the data."""

from __future__ import annotations

import sys
from argparse import Namespace

from model.errors import Unreadable
from model.training.data.decisions import apply, beside, read_decisions
from model.training.data.pictures import digest, read_content
from model.training.data.samples import Sample, read_samples
from model.types import Label


def asked_for(arguments: Namespace) -> tuple[Sample, ...]:
    """By `data`, `places` and `classes`; what decisions changed is said on stderr. Raises `ModelError`."""
    classes = {name: Label(meaning) for name, meaning in arguments.classes}
    in_data = read_samples(arguments.data, places=dict(arguments.places), classes=classes)
    decisions = beside(arguments.data)
    samples = apply(in_data, read_decisions(decisions), _sha256_of).samples
    if samples != in_data:
        print(f"as {decisions} has it: {len(samples)} of {len(in_data)} pictures are left", file=sys.stderr)
    return samples


def _sha256_of(sample: Sample) -> str | None:
    try:
        return digest(read_content(sample.path))
    except (FileNotFoundError, Unreadable):
        return None
