from __future__ import annotations

import sys
from pathlib import Path

import pytest

from drivers.types import Frame
from firmware.photography import Shot
from firmware.update.fitness import FEWEST_RUNS
from firmware.update.trial import LOAD_LIMIT_S, Failed, Trial
from model.classifier import Classifier
from model.manifest import parse_manifest
from model.shipped import shipped_bundle
from model.tensors import jpeg_frame
from ota.bundle import open_bundle
from ota.errors import Busy

pytestmark = pytest.mark.real

SHIPPED = shipped_bundle()
HEAD = "import sys; sys.stdout.buffer.write(b'\\0\\0\\0\\x02{}'); sys.stdout.flush(); "


def golden(name: str) -> Frame:
    return jpeg_frame((SHIPPED / "golden" / name).read_bytes(), "upstream")


async def test_the_same_model_answers_in_its_own_process_as_here() -> None:
    bundle = open_bundle(SHIPPED)
    here = Classifier(bundle.files["model.tflite"], parse_manifest(bundle.manifest)).judge(golden("0-dirty.jpg"))

    async with Trial(SHIPPED, beside=SHIPPED, priority=0) as trial:
        loaded = await trial.loaded()
        there = await trial.judge(Shot(golden("0-dirty.jpg")))
        frozen = await trial.judge(Shot(golden("0-dirty.jpg"), golden("0-clean.jpg")))

    assert (loaded.pictures, loaded.agreement, loaded.worst_lsb) == (4, 1.0, 0)
    assert 1 < loaded.memory_mib < 128
    assert (there.label, there.score) == (here.label.value, here.score)
    assert there.took_ms > 0
    assert (frozen.label, frozen.score) == ("CANNOT_TELL", None)


async def test_its_speed_is_measured_for_as_long_as_is_asked() -> None:
    async with Trial(SHIPPED, beside=SHIPPED, priority=0) as trial:
        await trial.loaded()
        times_ms = await trial.measure(3.0)

    assert len(times_ms) >= FEWEST_RUNS
    assert all(took_ms > 0 for took_ms in times_ms)


async def test_a_bundle_that_cannot_be_used_is_refused_with_its_reason(tmp_path: Path) -> None:
    async with Trial(tmp_path, beside=SHIPPED, priority=0) as trial:
        with pytest.raises(Failed, match=r"has no manifest\.json"):
            await trial.loaded()


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by signal 11"),
        ("raise SystemExit(3)", "exit status 3"),
        ("import sys; sys.stdin.read()", "no answer for"),
        ("import sys; sys.stdout.write('Hello world'); sys.stdout.flush(); sys.stdin.read()", "nonsense"),
        (HEAD + "sys.stdin.read()", "nonsense"),
    ],
    ids=["crashes", "gives up", "hangs", "prints", "says nothing that is known"],
)
async def test_what_a_model_does_to_its_process_is_told_and_no_more(code: str, problem: str) -> None:
    async with Trial(SHIPPED, beside=SHIPPED, priority=0, program=(sys.executable, "-c", code)) as trial:
        with pytest.raises(Failed, match=problem):
            await trial.loaded(limit_s=1.0 if problem == "no answer for" else LOAD_LIMIT_S)


async def test_a_process_that_cannot_be_started_is_no_fault_of_the_model() -> None:
    with pytest.raises(Busy, match="no process for a new model can be started: No such file"):
        async with Trial(SHIPPED, beside=SHIPPED, priority=0, program=("/nowhere/python",)):
            pass


async def test_a_crash_between_two_pictures_is_told_with_the_next() -> None:
    code = (
        "import os, signal, sys; from firmware.update.questions import Loaded, packed;"
        "found = dict(pictures=1, agreement=1, worst_lsb=0, accuracy=None, accuracy_before=None, memory_mib=1);"
        "sys.stdout.buffer.write(packed(Loaded(**found))); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    async with Trial(SHIPPED, beside=SHIPPED, priority=0, program=(sys.executable, "-c", code)) as trial:
        await trial.loaded()
        with pytest.raises(Failed, match="killed by signal 9"):
            await trial.judge(Shot(golden("0-clean.jpg")))
