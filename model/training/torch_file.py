"""Reads the weights in a file of torch.save without torch, which is 200 MB to read 18 MB.

The format before torch 1.6, not a zip: four pickles (a number, a version, sizes, the tensors with names for their
storages), a fifth with the order of the storages, then each storage's length and its elements, little-endian.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from model.errors import ModelError

MAGIC = 0x1950A86A20F9469CFC6C
MOST_BYTES = 200_000_000
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class BadWeights(ModelError):
    """The package of the weights is damaged, or another than the one that this was written for."""


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]  # in elements


def read_torch_file(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Arrays by their names. Nothing but what tensors are made of is unpickled. Raises `BadWeights`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadWeights(f"{path}: more than {MOST_BYTES} bytes", remedy="Install the package again")
        with path.open("rb") as file:
            if _Unpickler(file).load() != MAGIC:
                raise BadWeights(f"{path}: not a file of torch before 1.6", remedy="Install the package again")
            for _ in range(2):
                _Unpickler(file).load()
            tensors = _Unpickler(file).load()
            order = _Unpickler(file).load()
            storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
            elements = {key: _elements(file.read, storages[key]) for key in order}
            return {name: _array(elements[tensor.storage.key], tensor) for name, tensor in tensors.items()}
    except (OSError, EOFError, KeyError, AttributeError, ValueError, TypeError, pickle.UnpicklingError) as error:
        raise BadWeights(f"{path}: cannot be read ({error})", remedy="Install the package again") from error


def _elements(read: Any, storage: _Storage) -> npt.NDArray[Any]:
    if int.from_bytes(read(8), "little") != storage.length:
        raise ValueError(f"the length of storage {storage.key} is another")
    content = read(storage.length * storage.dtype.itemsize)
    return np.frombuffer(content, storage.dtype, storage.length)


def _array(elements: npt.NDArray[Any], tensor: _Tensor) -> npt.NDArray[Any]:
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride, strict=True))
    if min((tensor.offset, *tensor.stride)) < 0 or not last < len(elements) or min(tensor.shape, default=1) < 1:
        raise ValueError("a tensor reaches beyond its storage")
    strides = [step * elements.itemsize for step in tensor.stride]
    return np.lib.stride_tricks.as_strided(elements[tensor.offset :], tensor.shape, strides, writeable=False).copy()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a tensor")

    def persistent_load(self, said: Any) -> _Storage:
        _, dtype, key, _, length, _ = said
        return _Storage(key, dtype, length)


def _rebuilt(storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape, stride)
