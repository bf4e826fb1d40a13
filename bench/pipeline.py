"""Frame to verdict against the bare network, and against the script that one writes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean

from bench.frames import ducts, mjpeg_frames, yuyv_frames
from bench.results import Bar, Chart, Goal, Result, Row, Setup
from bench.rivals import BareInvoke, UsersScript
from bench.timing import Call, Times, in_turn
from drivers.types import Frame
from firmware.plan import load_classifier, model_of
from model.classifier import Classifier
from model.image_quality import measure as measures_of
from model.image_quality import unfit
from model.interpreter import Interpreter
from model.shipped import shipped_bundle
from model.tensors import Decoder, quantise
from model.viewpoint import Viewpoint
from ota.bundle import open_bundle

CALLS = 8  # on end: the caches are as warm as in a continuous run
VIEW_LASTS = 5  # snapshots: [snapshot] moved_at_most
LIGHT_BYTES, HEAVY_BYTES = 100_000, 200_000  # makers of 1280x720 cameras reckon with 100 to 200 kB a JPEG
MJPEG_AT_MOST, YUYV_AT_MOST = 4.5, 2.5

BARE = "bare invoke"
LIGHT, HEAVY, YUYV = "MJPEG 100 kB", "MJPEG 200 kB", "YUYV"

HOW = (
    "MobileNetV2-0.35 at 160x160, int8, one thread, 1280x720 frames of a rendered duct at six stages. ductwatch: "
    "Classifier.judge, with all its checks of the picture. User's script: OpenCV decodes and resizes, numpy normalises "
    "as floats and quantises, no checks. Bare invoke: the same network on a tensor that is there. In turn, some calls "
    "on end each round. Times are the thread's own; wall times are in the JSON."
)


YUYV_NOTE = (
    "With YUYV the script is quick because OpenCV's bilinear resize looks at few of the pixels, and lets fine patterns "
    "through as coarse ones; ductwatch averages, and checks the picture, without OpenCV's 150 MB on the board."
)


def measure(setup: Setup) -> Result:
    bundle = setup.model or shipped_bundle()
    setup.progress("drawing ducts")
    pictures = ducts()
    frames = {
        LIGHT: mjpeg_frames(pictures, LIGHT_BYTES),
        HEAVY: mjpeg_frames(pictures, HEAVY_BYTES),
        YUYV: yuyv_frames(pictures),
    }
    contestants = _contestants(bundle, frames)
    rounds = setup.choose(80, 8)
    times = in_turn(
        contestants,
        rounds=rounds,
        calls=CALLS,
        progress=lambda number: setup.progress(f"round {number} of {rounds}") if number % 10 == 0 else None,
    )
    bare = times[BARE]
    ratios = {name: found.median_ms / bare.median_ms for name, found in times.items()}
    return Result(
        name="pipeline",
        title="Frame to verdict, against bare invoke and a user's script",
        how=HOW,
        columns=("median ms", "least ms", "x bare, medians", "x bare, least"),
        rows=tuple(_row(name, found, bare) for name, found in times.items()),
        chart=Chart(unit="times bare invoke (medians)", bars=tuple(_bars(ratios))),
        goals=(
            *(_goal(f"frame to verdict, {name}", ratios[name], MJPEG_AT_MOST) for name in (LIGHT, HEAVY)),
            _goal("frame to verdict, YUYV", ratios[YUYV], YUYV_AT_MOST),
        ),
        notes=(_mjpeg_note(times), YUYV_NOTE),
        details={
            "rounds": rounds,
            "calls_in_a_row": CALLS,
            "wall_median_ms": {name: round(found.wall_median_ms, 3) for name, found in times.items()},
            "mean_frame_bytes": {name: round(mean(len(it.payload) for it in of)) for name, of in frames.items()},
        },
    )


def _contestants(bundle: Path, frames: dict[str, list[Frame]]) -> dict[str, Call]:
    model = model_of(open_bundle(bundle).files)
    contestants: dict[str, Call] = {BARE: BareInvoke(model)}
    for name, of in frames.items():
        contestants[name] = _judging(load_classifier(bundle), of)
    for name, of in frames.items():
        contestants[f"{name}, user's script"] = _over(of, UsersScript(model).judge)
    return contestants | _stages(load_classifier(bundle), model, frames)


def _judging(classifier: Classifier, frames: Sequence[Frame]) -> Call:
    viewpoint = Viewpoint(VIEW_LASTS)

    def call(number: int) -> None:
        judgement = classifier.judge(frames[number % len(frames)], viewpoint=viewpoint)
        if judgement.score is None:
            raise RuntimeError(f"frame {number % len(frames)} was not classified: {judgement.reasons}")

    return call


def _stages(classifier: Classifier, model: bytes, frames: dict[str, list[Frame]]) -> dict[str, Call]:
    """The parts of `judge`, by themselves."""
    manifest = classifier.manifest
    decoder = Decoder(manifest.input.height, manifest.input.width)
    picture = decoder.decode(frames[LIGHT][0])
    tensor = quantise(picture)
    viewpoint = Viewpoint(VIEW_LASTS)
    interpreter = Interpreter(model, manifest)
    return {
        **{f"part: decode {name}": _over(of, decoder.decode) for name, of in frames.items()},
        "part: check the picture": lambda _: unfit(measures_of(picture), manifest.image_limits),
        "part: compare the view": lambda _: viewpoint.changed(picture, 0.0),
        "part: quantise": lambda _: quantise(picture),
        "part: invoke, tensor in, answer out": lambda _: interpreter.run(tensor),
    }


def _over(frames: Sequence[Frame], do: Callable[[Frame], object]) -> Call:
    return lambda number: do(frames[number % len(frames)])


def _row(name: str, found: Times, bare: Times) -> Row:
    return Row(
        name,
        (
            found.median_ms,
            found.least_ms,
            found.median_ms / bare.median_ms,
            found.least_ms / bare.least_ms,
        ),
    )


def _bars(ratios: dict[str, float]) -> list[Bar]:
    goals = {LIGHT: MJPEG_AT_MOST, HEAVY: MJPEG_AT_MOST, YUYV: YUYV_AT_MOST}
    return [
        Bar(label=name, value=ratio, at_most=goals.get(name))
        for name, ratio in ratios.items()
        if not name.startswith("part: ")
    ]


def _goal(what: str, ratio: float, at_most: float) -> Goal:
    return Goal(what=what, value=ratio, at_most=at_most, unit="times bare invoke")


def _mjpeg_note(times: dict[str, Times]) -> str:
    per_100_kb = times[HEAVY].median_ms - times[LIGHT].median_ms
    return (
        f"Unpacking a JPEG's entropy code is the limit: {per_100_kb:.2f} ms more for 100 kB more, whatever the size "
        "that is decoded to. A camera of a lower bit rate, or YUYV, is what helps."
    )
