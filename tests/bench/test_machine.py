from __future__ import annotations

import platform
from dataclasses import astuple
from pathlib import Path

import pytest

from bench.machine import field, file_system, this_machine

CPUINFO = "processor\t: 0\nmodel name\t: Cortex-A72\nflags\t\t: fp asimd\n\nprocessor\t: 1\nmodel name\t: Cortex-A53\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("model name", "Cortex-A72"), ("flags", "fp asimd"), ("Serial", "")],
    ids=["the first of many", "several words", "not there"],
)
def test_a_field_of_proc_is_found(name: str, value: str) -> None:
    assert field(CPUINFO, name) == value


@pytest.mark.real
def test_a_result_does_not_tell_where_it_was_measured() -> None:
    told = str(astuple(this_machine()))

    assert platform.node() not in told.replace(platform.release(), "")
    assert str(Path.home()) not in told


@pytest.mark.real
def test_proc_is_no_disk() -> None:
    assert file_system(Path("/proc/self/fd")) == "proc"
