"""The photos that a command line asks for, as a person decided on them beside the data."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from model.training.data.contents import digest_of
from model.training.data.decisions import apply, read_all, that_do_not_count
from model.training.data.groundtruth import Remark
from model.training.data.samples import BadDataset, Sample, Split, read_samples
from model.types import Label

REMEDY = "Take some of them back: ductwatch model data --report"


def asked_for(arguments: Namespace) -> tuple[Sample, ...]:
    """By the options of all commands on data; what decisions changed, and what is left out, is said on stderr.

    Raises `ModelError`, also if none is left, or none of test/ where somebody has split.
    """
    in_data = named_by(arguments, remark=_say)
    decisions, files = read_all(arguments.data)
    applied = apply(in_data, decisions, lambda sample: digest_of(sample.path))
    if applied.samples != in_data:
        _say(f"as {files} has it: {len(applied.samples)} of {len(in_data)} pictures are left")
    if applied.stale:
        _say(f"{files}: {that_do_not_count(applied.stale)} Look again: ductwatch model data")
    if not applied.samples:
        problem = f"{files}: excludes all {len(in_data)} pictures of {arguments.data}"
        raise BadDataset(problem, remedy=REMEDY)
    if _tests(in_data) and not _tests(applied.samples):
        raise BadDataset(f"{files}: excludes all {_tests(in_data)} pictures of test/", remedy=REMEDY)
    return applied.samples


def named_by(arguments: Namespace, *, remark: Remark) -> tuple[Sample, ...]:
    """All that is in the data, whatever was decided. Raises `ModelError`."""
    return read_samples(
        arguments.data,
        places=dict(arguments.places),
        classes={name: Label(meaning) for name, meaning in arguments.classes},
        attribute=arguments.attribute,
        remark=remark,
    )


def _tests(samples: Sequence[Sample]) -> int:
    return sum(sample.split is Split.TEST for sample in samples)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
