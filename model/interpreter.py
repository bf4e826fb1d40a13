"""The one door of LiteRT: runs a quantised network in the calling thread."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from model.errors import UnfitModel
from model.manifest import Manifest

REMEDY = "Install a bundle that was built for this firmware"
SCALE_TOLERANCE = 1e-5  # relative: a float32 of the flatbuffer against the manifest's decimal


class Interpreter:
    """int8 in, int8 out, one thread (two were no faster). Not CompiledModel, which holds the GIL while it runs."""

    def __init__(self, model: bytes, manifest: Manifest) -> None:
        """Raise `UnfitModel` if the network cannot be loaded or is not what the manifest says."""
        self._litert = _loaded(model)
        shape = (1, manifest.input.height, manifest.input.width, 3)
        self._input = _checked(
            self._litert.get_input_details(), "input", shape, manifest.input.scale, manifest.input.zero_point
        )
        self._output = _checked(
            self._litert.get_output_details(),
            "output",
            (1, len(manifest.labels)),
            manifest.output.scale,
            manifest.output.zero_point,
        )

    def run(self, tensor: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Return the output for one input of shape (1, height, width, 3), as shape (labels,)."""
        self._litert.set_tensor(self._input, tensor)
        self._litert.invoke()
        output: npt.NDArray[np.int8] = self._litert.get_tensor(self._output)[0]
        return output


def output_quantisation(model: bytes) -> tuple[float, int]:
    """Scale and zero point, as a manifest is to say them. Raises `UnfitModel` if the network cannot be loaded."""
    scale, zero_point = _loaded(model).get_output_details()[0]["quantization"]
    return float(scale), int(zero_point)


def outputs(model: bytes, tensors: Iterable[npt.NDArray[np.int8]]) -> npt.NDArray[np.float32]:
    """What a network without a manifest answers to tensors of shape (1, height, width, 3): (n, labels), in floats.

    Raises `UnfitModel` if it cannot be loaded.
    """
    litert = _loaded(model)
    (taken,), (given,) = litert.get_input_details(), litert.get_output_details()
    scale, zero_point = given["quantization"]
    rows = []
    for tensor in tensors:
        litert.set_tensor(taken["index"], tensor)
        litert.invoke()
        rows.append((litert.get_tensor(given["index"])[0].astype(np.float32) - zero_point) * np.float32(scale))
    return np.array(rows)


def _loaded(model: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter as LiteRt  # 25 MB and 10 ms: only where it is used

    try:
        with _chatter_silenced():
            litert = LiteRt(model_content=model, num_threads=1)
            litert.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise UnfitModel(f"model.tflite cannot be loaded: {error}", remedy=REMEDY) from error
    return litert


@contextmanager
def _chatter_silenced() -> Iterator[None]:
    """LiteRT writes `INFO: Created TensorFlow Lite XNNPACK delegate` to descriptor 2, past every logger and setting."""
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def _checked(details: list[dict[str, Any]], name: str, shape: tuple[int, ...], scale: float, zero_point: int) -> int:
    """Return the tensor's index, if there is one tensor and it is as the manifest says."""
    if len(details) != 1:
        raise UnfitModel(f"model.tflite has {len(details)} {name}s instead of one", remedy=REMEDY)
    tensor = details[0]
    found_scale, found_zero_point = tensor["quantization"]
    if tensor["dtype"] is not np.int8 or tuple(tensor["shape"]) != shape:
        found = f"{np.dtype(tensor['dtype'])} {tuple(map(int, tensor['shape']))}"
        raise UnfitModel(f"model.tflite's {name} is {found}, not int8 {shape}", remedy=REMEDY)
    if abs(found_scale - scale) > SCALE_TOLERANCE * scale or found_zero_point != zero_point:
        raise UnfitModel(
            f"model.tflite's {name} is quantised by {found_scale}, {found_zero_point}, not {scale}, {zero_point}",
            remedy=REMEDY,
        )
    return int(tensor["index"])
