"""What the pipeline is measured against: the bare network, and the script that one writes first."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.types import Frame, PixelFormat


class BareInvoke:
    """The same network on a tensor that is there already: no camera, no decoding, no answer taken out."""

    def __init__(self, model: bytes) -> None:
        self._litert = litert(model)
        details = self._litert.get_input_details()[0]
        levels = np.random.default_rng(1).integers(-128, 128, details["shape"], dtype=np.int8)
        self._litert.set_tensor(details["index"], levels)

    def __call__(self, _: int) -> None:
        self._litert.invoke()


class UsersScript:
    """OpenCV decodes the whole frame and resizes it, numpy normalises it as floats and quantises it for the network.

    Nothing is looked at but the answer: no check of the picture. OpenCV runs in this one thread, as all else does.
    """

    def __init__(self, model: bytes) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._cv2: Any = cv2
        self._litert = litert(model)
        self._input = self._litert.get_input_details()[0]
        self._output = self._litert.get_output_details()[0]

    def judge(self, frame: Frame) -> float:
        """The score of the second label."""
        scale, zero_point = self._input["quantization"]
        _, height, width, _ = self._input["shape"]
        small = self._cv2.resize(self._rgb(frame), (int(width), int(height)))
        normalised = small.astype(np.float32) / 127.5 - 1.0
        tensor = np.clip(np.round(normalised / scale + zero_point), -128, 127).astype(np.int8)
        self._litert.set_tensor(self._input["index"], tensor[np.newaxis])
        self._litert.invoke()
        answer = self._litert.get_tensor(self._output["index"])[0].astype(np.float32)
        scale, zero_point = self._output["quantization"]
        return float((answer[1] - zero_point) * scale)

    def _rgb(self, frame: Frame) -> npt.NDArray[np.uint8]:
        data = np.frombuffer(frame.payload, np.uint8)
        if frame.pixel_format is PixelFormat.MJPEG:
            decoded, code = self._cv2.imdecode(data, self._cv2.IMREAD_COLOR), self._cv2.COLOR_BGR2RGB
        else:
            decoded, code = data.reshape(frame.height, frame.width, 2), self._cv2.COLOR_YUV2RGB_YUYV
        rgb: npt.NDArray[np.uint8] = self._cv2.cvtColor(decoded, code)
        return rgb


def litert(model: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter
