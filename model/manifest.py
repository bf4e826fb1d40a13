"""What a bundle says of its model. The one door of msgspec in this package."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from model.errors import UnfitModel
from model.tensors import DECODE_PATHS, MAX_INPUT_PX, MIN_INPUT_PX

REMEDY = "Publish the bundle again from a manifest that model.training wrote, or install another one"
LEAST_G_M2 = 0.01  # 0.1 mg on the 100 cm2 of a wipe or vacuum test: the last digit of an analytical balance
MOST_G_M2 = 1000.0  # 1 to 2 mm of dust: a number beyond it is a slip

Text = Annotated[str, Meta(min_length=1, max_length=64)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Meta(ge=0, le=1)]
Level = Annotated[float, Meta(ge=0, le=255)]
Ratio = Annotated[float, Meta(ge=0, le=10)]
Deposit = Annotated[float, Meta(ge=LEAST_G_M2, le=MOST_G_M2)]
Int8 = Annotated[int, Meta(ge=-128, le=127)]
Scale = Annotated[float, Meta(gt=0, le=1)]
Side = Annotated[int, Meta(ge=MIN_INPUT_PX, le=MAX_INPUT_PX)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Runtime(_Table, frozen=True, kw_only=True):
    """The interpreter that the golden outputs came from, and the range of versions that may run the model."""

    name: Text
    at_least: Text
    below: Text


class Input(_Table, frozen=True, kw_only=True):
    """Shape in pixels and quantisation of the picture."""

    height: Side
    width: Side
    scale: Scale
    zero_point: Int8


class Output(_Table, frozen=True, kw_only=True):
    """`logits`: a score is the logistic of how far dirty is above clean, so that int8 tells apart what is nearly sure.
    `probabilities`: dirty's is the score."""

    kind: Literal["probabilities", "logits"] = "probabilities"
    scale: Scale
    zero_point: Int8


class Thresholds(_Table, frozen=True, kw_only=True):
    """Scores below the one are CLEAN, above the other DIRTY, and from one to the other CANNOT_TELL."""

    clean_below: Share
    dirty_above: Share


class ImageLimits(_Table, frozen=True, kw_only=True):
    """Beyond these a picture is not judged. Measures and units: `model.image_quality`.

    Bundles from before `veil_above` do not know how much of a veil their pictures had: none is too much for them.
    """

    dark_below: Level
    saturated_share_above: Share
    contrast_below: Ratio
    focus_below: Ratio
    lit_difference_below: Level
    veil_above: Share = 1.0


class DegreePoint(_Table, frozen=True, kw_only=True):
    """What a score stands for: an estimate of the deposit in g/m2, and the limits of its 90 % interval."""

    score: Share
    g_m2: Deposit
    low_g_m2: Deposit
    high_g_m2: Deposit


class GoldenGate(_Table, frozen=True, kw_only=True):
    """What a board must reach on the golden inputs: share of equal answers, and difference in steps of the output."""

    top1_agreement: Share
    max_difference_lsb: Annotated[int, Meta(ge=0, le=255)]


class BundleFile(_Table, frozen=True, kw_only=True):
    sha256: Sha256
    length: Annotated[int, Meta(ge=0)]


class Manifest(_Table, frozen=True, kw_only=True):
    """`latency_budget_ms` goes by board class, as `hardware` does; `any` stands for the boards that are not named.

    `degree` by rising score; a model without it estimates no deposit. `image_quality_at_least`: the version of
    `model.image_quality` that the limits are for. `memory_mib`: what loading runtime and model may take.
    """

    format: Literal[1]
    name: Text
    version: Text
    release_counter: Annotated[int, Meta(ge=1)]
    hardware: Annotated[tuple[Text, ...], Meta(min_length=1)]
    runtime: Runtime
    input: Input
    output: Output
    decode_path: Text
    labels: tuple[Literal["CLEAN", "DIRTY"], Literal["CLEAN", "DIRTY"]]
    thresholds: Thresholds
    image_limits: ImageLimits
    golden: GoldenGate
    latency_budget_ms: Annotated[dict[Text, Annotated[float, Meta(gt=0)]], Meta(min_length=1)]
    training_data_sha256: Sha256
    files: dict[Annotated[str, Meta(min_length=1, max_length=128)], BundleFile]
    degree: Annotated[tuple[DegreePoint, ...], Meta(min_length=2, max_length=64)] | None = None
    image_quality_at_least: Annotated[int, Meta(ge=1)] = 1
    memory_mib: Annotated[float, Meta(gt=0)] = 128.0


def parse_manifest(document: bytes) -> Manifest:
    """Raise `UnfitModel`, naming the key, for anything but a complete manifest that this firmware understands."""
    manifest = _parse(document, Manifest, "manifest.json")
    problem = _contradiction(manifest)
    if problem:
        raise UnfitModel(f"manifest.json: {problem}", remedy=REMEDY)
    return manifest


def parse_expected(document: bytes) -> dict[str, tuple[Int8, Int8]]:
    """The golden outputs: for each golden input's file name the int8 output. Raises `UnfitModel`."""
    return _parse(document, dict[str, tuple[Int8, Int8]], "golden/expected.json")


def parse_right(document: bytes) -> dict[str, Literal["CLEAN", "DIRTY"]]:
    """What golden inputs show, by file name. Raises `UnfitModel`."""
    return _parse(document, dict[str, Literal["CLEAN", "DIRTY"]], "golden/right.json")


T = TypeVar("T")


def _parse(document: bytes, kind: type[T], name: str) -> T:
    try:
        return msgspec.json.decode(document, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnfitModel(f"{name}: {error}", remedy=REMEDY) from error


def _contradiction(manifest: Manifest) -> str | None:
    if manifest.decode_path not in DECODE_PATHS:
        return f"decode_path {manifest.decode_path!r} is not one that this firmware has: {', '.join(DECODE_PATHS)}"
    if set(manifest.labels) != {"CLEAN", "DIRTY"}:
        return "labels must be CLEAN and DIRTY, each once"
    if manifest.thresholds.clean_below > manifest.thresholds.dirty_above:
        return "thresholds.clean_below is above thresholds.dirty_above"
    return _degree_contradiction(manifest.degree or ())


def _degree_contradiction(table: tuple[DegreePoint, ...]) -> str | None:
    for number, point in enumerate(table):
        if not point.low_g_m2 <= point.g_m2 <= point.high_g_m2:
            return f"degree[{number}].g_m2 is not within its own interval"
    for number, (before, after) in enumerate(pairwise(table), start=1):
        if not before.score < after.score:
            return f"degree[{number}].score is not above the score before it"
        if after.g_m2 < before.g_m2:
            return f"degree[{number}].g_m2 falls, though the score rises"
    return None
