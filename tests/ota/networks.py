"""Networks as TFLite files, as small as one likes: numbers, names and scales, which is all that a delta looks at."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

INT32, INT8 = 2, 9


@dataclass(frozen=True, kw_only=True)
class Layer:
    """`weights` (channels, n) are floats, of which int8 are made, as a converter makes them."""

    name: str
    weights: npt.NDArray[np.float64]
    biases: npt.NDArray[np.float64]
    input_scale: float = 0.02
    by_channel_last: bool = False


def layers(seed: int, *, count: int = 3, channels: int = 32, inner: int = 64) -> list[Layer]:
    rng = np.random.default_rng(seed)
    return [
        Layer(
            name=f"layer-{number}",
            weights=rng.normal(0, 0.1, (channels, inner)),
            biases=rng.normal(0, 1, channels),
            by_channel_last=number == 1,
        )
        for number in range(count)
    ]


def taught(before: Sequence[Layer], seed: int, *, step: float, only: Sequence[int] | None = None) -> list[Layer]:
    """The same layers after a training that moved each weight of `only` by about `step`."""
    rng = np.random.default_rng(seed)
    return [
        replace(
            layer,
            weights=layer.weights + rng.normal(0, step, layer.weights.shape),
            biases=layer.biases + rng.normal(0, step, layer.biases.shape),
            input_scale=layer.input_scale * (1 + step),
        )
        if only is None or number in only
        else layer
        for number, layer in enumerate(before)
    ]


def tflite(network: Sequence[Layer]) -> bytes:
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    model.buffers, model.subgraphs, model.version = [schema.BufferT()], [graph], 3
    for layer in network:
        scales = np.maximum(np.abs(layer.weights).max(axis=1) / 127, 1e-6).astype(np.float32)
        int8 = np.rint(layer.weights / scales[:, np.newaxis]).astype(np.int8)
        of_bias = np.float32(layer.input_scale) * scales
        biases = np.rint(layer.biases / of_bias).astype("<i4")
        axis = 1 if layer.by_channel_last else 0
        inputs = [
            _tensor(model, graph, f"{layer.name}/in", np.zeros(0, np.int8), (1,), [layer.input_scale], 0),
            _tensor(model, graph, layer.name, int8.T if axis else int8, None, scales, axis),
            _tensor(model, graph, f"{layer.name}/bias", biases, None, of_bias, 0),
        ]
        operator = schema.OperatorT()
        operator.inputs, operator.outputs = inputs, []
        graph.operators.append(operator)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(model: Any, graph: Any, name: str, data: Any, shape: Any, scales: Any, axis: int) -> int:
    tensor, quantization, buffer = schema.TensorT(), schema.QuantizationParametersT(), schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
    quantization.scale, quantization.quantizedDimension = np.asarray(scales, np.float32), axis
    quantization.zeroPoint = np.zeros(len(scales), np.int64)
    tensor.name, tensor.shape, tensor.quantization = name.encode(), list(shape or data.shape), quantization
    tensor.type, tensor.buffer = INT32 if data.dtype.itemsize == 4 else INT8, len(model.buffers)
    model.buffers.append(buffer)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def tar_of(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def bundle(network: Sequence[Layer], *, version: int = 1) -> bytes:
    return tar_of(
        {
            "golden/a.jpg": np.random.default_rng(9).bytes(3000),
            "manifest.json": b'{\n  "name": "visual-clean",\n  "version": "1.%d.0"\n}\n' % version,
            "model.tflite": tflite(network),
        }
    )
