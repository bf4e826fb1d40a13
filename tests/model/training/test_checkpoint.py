"""A training that was killed goes on where it was."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from model.errors import NoPlace
from model.training.checkpoint import EACH_S, Checkpoint, Stopped


class Variable:
    """As much of TensorFlow's as a checkpoint needs."""

    def __init__(self, *values: float) -> None:
        self.values = np.array(values, np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def assign(self, values: npt.NDArray[np.float32]) -> None:
        self.values = values

    def __array__(self, dtype: object = None, copy: object = None) -> npt.NDArray[np.float32]:
        return self.values


class Watch:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def kept(folder: Path, *variables: Variable, fingerprint: str = "this") -> Path:
    path = folder / "training.npz"
    Checkpoint(path, fingerprint).keep(70, variables)
    return path


def test_it_goes_on_with_what_it_had_learned(tmp_path: Path) -> None:
    path = kept(tmp_path, Variable(1, 2), Variable(3))
    variables = [Variable(0, 0), Variable(0)]

    steps = Checkpoint(path, "this").restore(variables)

    assert steps == 70
    assert [one.values.tolist() for one in variables] == [[1, 2], [3]]


def test_another_training_starts_anew(tmp_path: Path) -> None:
    variable = Variable(0, 0)

    assert Checkpoint(kept(tmp_path, Variable(1, 2)), "other data").restore([variable]) == 0
    assert variable.values.tolist() == [0, 0]


@pytest.mark.parametrize("variables", [[Variable(0)], [Variable(0, 0), Variable(0)], []], ids=["shape", "more", "none"])
def test_another_network_starts_anew(tmp_path: Path, variables: list[Variable]) -> None:
    assert Checkpoint(kept(tmp_path, Variable(1, 2)), "this").restore(variables) == 0


@pytest.mark.parametrize("size", [0, 10, 300, -1])
def test_a_file_that_was_cut_short_is_none(tmp_path: Path, size: int) -> None:
    path = kept(tmp_path, Variable(1, 2))
    path.write_bytes(path.read_bytes()[:size])

    assert Checkpoint(path, "this").restore([Variable(0, 0)]) == 0


def test_the_first_start_has_none(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path / "training.npz", "this").restore([Variable(0)]) == 0


def test_it_is_kept_once_a_minute_and_not_at_each_step(tmp_path: Path) -> None:
    path, watch, variable = tmp_path / "training.npz", Watch(), Variable(0)
    checkpoint = Checkpoint(path, "this", now_s=watch)
    for steps, at_s in ((1, 1), (2, EACH_S - 1), (3, EACH_S + 1), (4, EACH_S + 2)):
        watch.s = at_s
        checkpoint.keep_now_and_then(steps, [variable])

    assert Checkpoint(path, "this").restore([variable]) == 3


def test_who_asks_it_to_stop_loses_not_even_the_last_minute(tmp_path: Path) -> None:
    path, variable = tmp_path / "training.npz", Variable(0)
    checkpoint = Checkpoint(path, "this", now_s=Watch())

    with checkpoint.ask_to_stop_on(signal.SIGTERM):
        checkpoint.keep_now_and_then(1, [variable])
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped, match="after step 2: ask again") as stopped:
            checkpoint.keep_now_and_then(2, [variable])

    assert stopped.value.signal_number == signal.SIGTERM
    assert Checkpoint(path, "this").restore([variable]) == 2


def test_who_asks_twice_need_not_wait_for_the_step(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    checkpoint = Checkpoint(tmp_path / "training.npz", "this")

    with checkpoint.ask_to_stop_on(signal.SIGTERM):
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_disk_that_takes_nothing_is_told_of_and_the_training_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Watch()
    checkpoint = Checkpoint(tmp_path / "gone" / "training.npz", "this", now_s=watch)
    watch.s = EACH_S + 1

    for steps in (1, 2):  # the second one is too early to try again
        checkpoint.keep_now_and_then(steps, [Variable(0)])

    assert capsys.readouterr().err.count("No such file or directory: what was learned is not kept") == 1


def test_who_asks_it_to_stop_is_told_if_what_it_has_cannot_be_kept(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "gone" / "training.npz", "this", now_s=Watch())

    with checkpoint.ask_to_stop_on(signal.SIGTERM):
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(NoPlace, match=r"is not kept\. Make room, and ask again"):
            checkpoint.keep_now_and_then(1, [Variable(0)])


def test_what_was_kept_before_outlives_a_full_disk(tmp_path: Path) -> None:
    path = kept(tmp_path, Variable(1, 2))
    path.with_suffix(".new").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left"):
        Checkpoint(path, "this").keep(80, [Variable(3, 4)])

    assert Checkpoint(path, "this").restore([Variable(0, 0)]) == 70
    assert [one.name for one in tmp_path.iterdir()] == ["training.npz"]
