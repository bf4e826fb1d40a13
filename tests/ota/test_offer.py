from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tuf.api.metadata import TargetFile

from ota.errors import Untrusted
from ota.offer import MAX_COUNTER, MAX_TARGET_BYTES, offered
from ota.types import Delta, Release, Target

PATH = "stable/visual-clean.tar"
BASE = "b" * 64
DELTA = f"stable/visual-clean.from-{BASE[:16]}.delta"
CUSTOM: dict[str, Any] = {
    "model": "visual-clean",
    "version": "1.4.0",
    "release_counter": 7,
    "hardware": ["pi5", "any"],
    "deltas": [{"base": BASE, "path": DELTA}],
}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def role(custom: object, *, length: int = 6, hashes: dict[str, str] | None = None) -> dict[str, TargetFile]:
    described = TargetFile(length, hashes or {"sha256": sha256(b"bundle")}, PATH, {"custom": custom})
    return {PATH: described, DELTA: TargetFile(5, {"sha256": sha256(b"delta")}, DELTA)}


def test_a_release_is_read_with_its_ways_there() -> None:
    assert offered(role({"ductwatch": CUSTOM}).get, "stable", "visual-clean") == Release(
        target=Target(path=PATH, length=6, sha256=sha256(b"bundle")),
        model="visual-clean",
        version="1.4.0",
        counter=7,
        hardware=("pi5", "any"),
        deltas=(Delta(target=Target(path=DELTA, length=5, sha256=sha256(b"delta")), base=BASE),),
    )


def test_what_a_channel_does_not_have_is_none() -> None:
    nothing: dict[str, TargetFile] = {}

    assert offered(nothing.get, "stable", "visual-clean") is None


def test_a_delta_that_is_no_target_is_left_out() -> None:
    files = role({"ductwatch": CUSTOM})
    del files[DELTA]

    release = offered(files.get, "stable", "visual-clean")

    assert release is not None
    assert release.deltas == ()


def test_what_a_newer_publisher_adds_is_passed_over() -> None:
    assert offered(role({"ductwatch": {**CUSTOM, "mood": "good"}, "others": 1}).get, "stable", "visual-clean")


CHANGES: dict[str, dict[str, object]] = {
    "another model": {"model": "visual-dirty"},
    "a model that leads elsewhere": {"model": "../visual-clean"},
    "a version with a line's end": {"version": "1.4.0\n"},
    "a version without end": {"version": "1" * 65},
    "counter 0": {"release_counter": 0},
    "a counter beyond use": {"release_counter": MAX_COUNTER + 1},
    "a counter in words": {"release_counter": "7"},
    "a counter that is true": {"release_counter": True},
    "no hardware": {"hardware": []},
    "hardware that is a word": {"hardware": "any"},
    "too much hardware": {"hardware": ["pi"] * 33},
    "a delta from half a hash": {"deltas": [{"base": BASE[:16], "path": DELTA}]},
    "a delta of another channel": {"deltas": [{"base": BASE, "path": "canary/x.delta"}]},
    "too many deltas": {"deltas": [{"base": BASE, "path": DELTA}] * 9},
}
BAD: dict[str, object] = {
    "nothing": None,
    "a list": [],
    "of another program": {"others": {}},
    "a number": {"ductwatch": 1},
    "no model": {"ductwatch": {key: value for key, value in CUSTOM.items() if key != "model"}},
    **{name: {"ductwatch": {**CUSTOM, **change}} for name, change in CHANGES.items()},
}


@pytest.mark.parametrize("custom", BAD.values(), ids=BAD)
def test_a_release_that_is_not_described_as_agreed_is_refused(custom: object) -> None:
    with pytest.raises(Untrusted, match=PATH):
        offered(role(custom).get, "stable", "visual-clean")


@pytest.mark.parametrize("length", [0, MAX_TARGET_BYTES + 1])
def test_a_length_beyond_reason_is_refused(length: int) -> None:
    with pytest.raises(Untrusted, match=f"says it has {length} bytes"):
        offered(role({"ductwatch": CUSTOM}, length=length).get, "stable", "visual-clean")


@pytest.mark.parametrize("hashes", [{"sha512": "0" * 128}, {"sha256": "0" * 63}, {"sha256": "A" * 64}])
def test_a_target_without_a_sha256_is_refused(hashes: dict[str, str]) -> None:
    with pytest.raises(Untrusted, match="has no SHA-256"):
        offered(role({"ductwatch": CUSTOM}, hashes=hashes).get, "stable", "visual-clean")
