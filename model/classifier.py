"""From a frame to a judgement of it: decode, judge the picture, then the duct."""

from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt

from drivers.types import Frame, SourceId
from model.colour import Picture
from model.degree import degree_of
from model.errors import UnfitModel, Unreadable
from model.image_quality import measure, unfit, unlit
from model.interpreter import REMEDY, Interpreter
from model.manifest import Manifest, Thresholds
from model.tensors import Decoder, quantise
from model.types import Judgement, Label, ModelId, Reason
from model.viewpoint import Viewpoint

INPUT_SCALE = 2 / 255  # with zero point -1, quantising a picture is one XOR
INPUT_ZERO_POINT = -1
MAX_SOURCES = 16  # cameras whose last picture is kept, 77 kB each at 160 x 160; beyond, the longest unseen goes


class Classifier:
    """Judges frames of any number of cameras. Owned by one thread: it keeps buffers and the last pictures."""

    def __init__(self, model: bytes, manifest: Manifest) -> None:
        """Raise `UnfitModel` if the network is not what the manifest says, or not what this firmware feeds."""
        quantisation = manifest.input
        if abs(quantisation.scale - INPUT_SCALE) > 1e-6 or quantisation.zero_point != INPUT_ZERO_POINT:
            problem = f"the input is quantised by {quantisation.scale}, {quantisation.zero_point}, not by 2/255, -1"
            raise UnfitModel(problem, remedy=REMEDY)
        self.manifest = manifest
        self.model = ModelId(manifest.name, manifest.version)
        self._interpreter = Interpreter(model, manifest)
        self._decoder = Decoder(manifest.input.height, manifest.input.width)
        self._dirty = manifest.labels.index("DIRTY")
        self._last: dict[SourceId, Picture] = {}

    def judge(self, frame: Frame, dark: Frame | None = None, viewpoint: Viewpoint | None = None) -> Judgement:
        """Judge `frame`; `dark` is the same camera's frame with the LED off, if one was taken.

        `viewpoint` is what that camera has looked at, if it is not to move: a picture that is fit goes into it.
        A frame that does not decode is CANNOT_TELL, UNREADABLE: nothing is raised.
        """
        started_ns = time.perf_counter_ns()
        try:
            picture = self._decoder.decode(frame)
            dark_picture = None if dark is None else self._decoder.decode(dark)
            reasons = self._unfit(frame.source, picture, dark_picture, viewpoint)
        except Unreadable:
            picture, reasons = None, (Reason.UNREADABLE,)
        decoded_ns = time.perf_counter_ns()
        score = None
        if picture is not None and not reasons:
            score = self._score(self._interpreter.run(quantise(picture)))
        invoke_ns = time.perf_counter_ns() - decoded_ns if score is not None else 0
        label = label_of(score, self.manifest.thresholds)
        return Judgement(
            source=frame.source,
            label=label,
            score=score,
            reasons=(Reason.UNSURE,) if label is Label.CANNOT_TELL and not reasons else reasons,
            at=frame.at,
            decode_ns=decoded_ns - started_ns,
            invoke_ns=invoke_ns,
            model=self.model,
            degree=None if score is None else degree_of(score, self.manifest.degree),
        )

    def raw_output(self, frame: Frame) -> npt.NDArray[np.int8]:
        """The network's answer, however bad the picture: for the self-test and for training. Raises `Unreadable`."""
        return self._interpreter.run(quantise(self._decoder.decode(frame)))

    def forced_score(self, frame: Frame) -> float:
        """The score, 0 clean to 1 dirty, whatever the image checks say: for measuring. Raises `Unreadable`."""
        return self._score(self.raw_output(frame))

    def _unfit(
        self, source: SourceId, picture: Picture, dark: Picture | None, viewpoint: Viewpoint | None
    ) -> tuple[Reason, ...]:
        limits = self.manifest.image_limits
        measures = measure(picture)
        reasons = unfit(measures, limits)
        if self._is_frozen(source, picture):
            reasons += (Reason.FROZEN,)
        if dark is not None and unlit(picture, dark, limits):
            reasons += (Reason.UNLIT,)
        if viewpoint is not None and not reasons and (changed := viewpoint.changed(picture, measures.veil)):
            reasons = (changed,)
        return reasons

    def _is_frozen(self, source: SourceId, picture: Picture) -> bool:
        """Noise makes two pictures of a live camera differ, even shrunk."""
        before = self._last.pop(source, None)
        if len(self._last) == MAX_SOURCES:
            del self._last[next(iter(self._last))]
        self._last[source] = picture
        return before is not None and np.array_equal(before, picture)

    def _score(self, output: npt.NDArray[np.int8]) -> float:
        answers = self.manifest.output
        if answers.kind == "logits":
            above = (int(output[self._dirty]) - int(output[1 - self._dirty])) * answers.scale
            return 1 / (1 + math.exp(-above))
        score = (int(output[self._dirty]) - answers.zero_point) * answers.scale
        return min(max(score, 0.0), 1.0)


def label_of(score: float | None, thresholds: Thresholds) -> Label:
    """What one score says by itself; None, of a picture that was not fit to be judged, says nothing."""
    if score is None:
        return Label.CANNOT_TELL
    if score < thresholds.clean_below:
        return Label.CLEAN
    if score > thresholds.dirty_above:
        return Label.DIRTY
    return Label.CANNOT_TELL
