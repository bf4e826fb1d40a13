"""Files of torch.save before 1.6, put together opcode by opcode: torch itself is not needed to test this."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from model.training.torch_file import MAGIC, BadWeights, read_torch_file

SIX = np.arange(6, dtype="<f4")


def text(word: str) -> bytes:
    return b"X" + len(word).to_bytes(4, "little") + word.encode()


def numbers(*values: int) -> bytes:
    return b"(" + b"".join(b"J" + value.to_bytes(4, "little", signed=True) for value in values) + b"t"


def tensor(shape: tuple[int, ...], stride: tuple[int, ...], *, offset: int = 0, length: int = 6) -> bytes:
    """As torch pickles one: a call of _rebuild_tensor_v2 with its storage by persistent id."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("77") + text("cpu")
    storage += b"J" + length.to_bytes(4, "little") + b"NtQ"
    hooks = b"ccollections\nOrderedDict\n)R"
    place = b"J" + offset.to_bytes(4, "little", signed=True) + numbers(*shape) + numbers(*stride)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + place + b"\x89" + hooks + b"tR"


def torch_file(folder: Path, value: bytes, *, elements: bytes = SIX.tobytes(), length: int = 6) -> Path:
    named = b"\x80\x02ccollections\nOrderedDict\n)R" + text("stem.weight") + value + b"s."
    path = folder / "weights.pth"
    head = pickle.dumps(MAGIC, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    path.write_bytes(head + named + pickle.dumps(["77"], 2) + length.to_bytes(8, "little") + elements)
    return path


def test_a_tensor_is_read_with_its_name_shape_and_values(tmp_path: Path) -> None:
    weights = read_torch_file(torch_file(tmp_path, tensor((2, 3), (3, 1))))

    assert list(weights) == ["stem.weight"]
    np.testing.assert_array_equal(weights["stem.weight"], SIX.reshape(2, 3))


def test_a_tensor_that_was_transposed_is_read_so(tmp_path: Path) -> None:
    weights = read_torch_file(torch_file(tmp_path, tensor((3, 2), (1, 3))))

    np.testing.assert_array_equal(weights["stem.weight"], SIX.reshape(2, 3).T)


@pytest.mark.parametrize(
    "value",
    [
        tensor((2, 4), (4, 1)),
        tensor((2, 3), (3, 1), offset=1),
        tensor((2, 3), (-3, 1)),
        tensor((2, 3), (3, 1), offset=-1),
        tensor((2,), (3, 1)),
        b"cos\nsystem\n" + text("echo") + b"\x85R",
        b"ctorch\nload\n)R",
        b"N",
    ],
    ids=["too large", "too far", "backwards", "before", "no shape", "a program", "another part of torch", "no tensor"],
)
def test_what_is_no_tensor_within_its_storage_is_refused(tmp_path: Path, value: bytes) -> None:
    with pytest.raises(BadWeights, match=r"weights.pth: cannot be read .*Install the package again"):
        read_torch_file(torch_file(tmp_path, value))


@pytest.mark.parametrize("kept", [0, 20, 60, 200, -1])
def test_a_file_that_ends_early_is_refused(tmp_path: Path, kept: int) -> None:
    path = torch_file(tmp_path, tensor((2, 3), (3, 1)))
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(BadWeights, match="Install the package again"):
        read_torch_file(path)


def test_a_storage_of_another_length_than_announced_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="length of storage 77"):
        read_torch_file(torch_file(tmp_path, tensor((2, 3), (3, 1)), length=5))


def test_another_kind_of_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({"stem": 1}, 2))

    with pytest.raises(BadWeights, match=r"not a file of torch before 1\.6"):
        read_torch_file(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=r"none.pth: cannot be read"):
        read_torch_file(tmp_path / "none.pth")
