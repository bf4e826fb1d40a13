"""The photos that a command line asks for, as a person decided on them beside the data."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from model.training.data.contents import digest_of
from model.training.data.decisions import apply, read_all, that_do_not_count
from model.training.data.groundtruth import Remark
from model.training.data.places import in_data
from model.training.data.samples import BadDataset, Sample, Split, read_samples
from model.types import Label

REMEDY = "Take some of them back: ductwatch model data --report"


def asked_for(arguments: Namespace) -> tuple[Sample, ...]:
    """By the options of all commands on data; what decisions changed, and what is left out, is said on stderr.

    Raises `ModelError`, also if none is left, or none of test/ where somebody has split.
    """
    return as_decided(found_by(arguments), arguments)


def found_by(arguments: Namespace) -> tuple[Sample, ...]:
    """All that is in the data, whatever was decided; what is no sample is said on stderr. Raises `ModelError`."""
    return named_by(arguments, remark=_say)


def as_decided(found: tuple[Sample, ...], arguments: Namespace) -> tuple[Sample, ...]:
    """What is left of them, as above. Raises `ModelError`, as above."""
    decisions, files = read_all(arguments.data)
    applied = apply(found, decisions, lambda sample: digest_of(sample.path))
    if applied.samples != found:
        _say(f"as {files} has it: {len(applied.samples)} of {len(found)} pictures are left")
    if applied.stale:
        _say(f"{files}: {that_do_not_count(applied.stale)} Look again: ductwatch model data")
    if not applied.samples:
        problem = f"{files}: excludes all {len(found)} pictures of {arguments.data}"
        raise BadDataset(problem, remedy=REMEDY)
    if _tests(found) and not _tests(applied.samples):
        raise BadDataset(f"{files}: excludes all {_tests(found)} pictures of test/", remedy=REMEDY)
    return applied.samples


def named_by(arguments: Namespace, *, remark: Remark) -> tuple[Sample, ...]:
    """The same, of which `remark` is told what is no sample."""
    return read_samples(
        arguments.data,
        places=dict(arguments.places),
        classes={name: Label(meaning) for name, meaning in arguments.classes},
        attribute=arguments.attribute,
        remark=remark,
    )


def folders_of(found: Sequence[Sample], arguments: Namespace) -> list[Path]:
    """Those that nothing is written into, as they lie there."""
    return in_data(arguments.data, dict(arguments.places).values(), (sample.path for sample in found))


def _tests(samples: Sequence[Sample]) -> int:
    return sum(sample.split is Split.TEST for sample in samples)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
