from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from model.errors import UnfitModel
from model.manifest import DegreePoint, parse_expected, parse_manifest
from tests.model.pictures import shipped

Document = dict[str, Any]


def without(key: str) -> Callable[[Document], object]:
    return lambda document: document.pop(key)


def with_(value: object, *path: str) -> Callable[[Document], object]:
    def change(document: Document) -> object:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value
        return document

    return change


def point(score: float, g_m2: float, low: float = 0.01, high: float = 100.0) -> dict[str, float]:
    return {"score": score, "g_m2": g_m2, "low_g_m2": low, "high_g_m2": high}


BROKEN: dict[str, tuple[Callable[[Document], object], str]] = {
    "no name": (without("name"), "name"),
    "no thresholds": (without("thresholds"), "thresholds"),
    "unknown key": (with_(1, "treshold"), "treshold"),
    "a later format": (with_(2, "format"), r"\$\.format"),
    "counter of nought": (with_(0, "release_counter"), r"\$\.release_counter"),
    "no hardware": (with_([], "hardware"), r"\$\.hardware"),
    "huge input": (with_(100_000, "input", "height"), r"\$\.input\.height"),
    "scale of nought": (with_(0, "output", "scale"), r"\$\.output\.scale"),
    "zero point beyond int8": (with_(128, "output", "zero_point"), r"\$\.output\.zero_point"),
    "threshold in per cent": (with_(65, "thresholds", "dirty_above"), r"\$\.thresholds\.dirty_above"),
    "thresholds crossed": (with_({"clean_below": 0.7, "dirty_above": 0.3}, "thresholds"), "clean_below is above"),
    "decode path of another firmware": (with_("halving/2", "decode_path"), "halving/2.*halving/1"),
    "three labels": (with_(["CLEAN", "DIRTY", "MOULD"], "labels"), r"\$\.labels"),
    "one label twice": (with_(["DIRTY", "DIRTY"], "labels"), "labels must be"),
    "no budget": (with_({}, "latency_budget_ms"), r"\$\.latency_budget_ms"),
    "budget of nought": (with_({"any": 0}, "latency_budget_ms"), r"\$\.latency_budget_ms"),
    "hash cut short": (with_("abc", "training_data_sha256"), r"\$\.training_data_sha256"),
    "a table of one point": (with_([point(0.5, 1.0)], "degree"), r"\$\.degree"),
    "a table of 65 points": (with_([point(n / 65, 1.0) for n in range(65)], "degree"), r"\$\.degree"),
    "grams of nought": (with_([point(0, 0), point(1, 1)], "degree"), r"\$\.degree\[0\]\.g_m2"),
    "tons": (with_([point(0, 1), point(1, 1e6)], "degree"), r"\$\.degree\[1\]\.g_m2"),
    "a score twice": (with_([point(0.5, 1), point(0.5, 2)], "degree"), r"degree\[1\]\.score is not above"),
    "scores that fall": (with_([point(0.5, 1), point(0.4, 2)], "degree"), r"degree\[1\]\.score is not above"),
    "less for a higher score": (with_([point(0.1, 2), point(0.9, 1)], "degree"), r"degree\[1\]\.g_m2 falls"),
    "below its interval": (with_([point(0.1, 1), point(0.9, 2, low=3)], "degree"), r"degree\[1\].* its own interval"),
    "above its interval": (with_([point(0.1, 1, high=0.5), point(0.9, 2)], "degree"), r"degree\[0\].* own interval"),
    "brightness beyond 255": (with_(300, "image_limits", "dark_below"), r"\$\.image_limits\.dark_below"),
}


@pytest.mark.parametrize(("change", "named"), BROKEN.values(), ids=BROKEN)
def test_a_broken_manifest_is_refused_by_the_name_of_the_key(change: Callable[[Document], object], named: str) -> None:
    document = json.loads(shipped()[0].manifest)
    change(document)

    with pytest.raises(UnfitModel, match=f"manifest.json: .*{named}.* Publish the bundle again"):
        parse_manifest(json.dumps(document).encode())


def test_a_table_of_deposits_may_be_there_and_rises_or_stays() -> None:
    document = json.loads(shipped()[0].manifest) | {"degree": [point(0.1, 2), point(0.5, 2), point(0.9, 3)]}

    table = parse_manifest(json.dumps(document).encode()).degree

    assert table is not None
    assert table[2] == DegreePoint(score=0.9, g_m2=3, low_g_m2=0.01, high_g_m2=100)


def test_a_manifest_from_before_there_were_tables_is_valid() -> None:
    document = json.loads(shipped()[0].manifest)
    document.pop("degree", None)

    assert parse_manifest(json.dumps(document).encode()).degree is None


@pytest.mark.parametrize("document", [b"", b"[]", b"{", b"\xff\xfe", b"null"], ids=repr)
def test_what_is_no_json_table_is_refused(document: bytes) -> None:
    with pytest.raises(UnfitModel, match=r"manifest\.json"):
        parse_manifest(document)


def test_golden_outputs_are_two_int8_a_picture() -> None:
    assert parse_expected(b'{"golden/1.jpg": [-128, 127]}') == {"golden/1.jpg": (-128, 127)}
    for broken in (b'{"golden/1.jpg": [1]}', b'{"golden/1.jpg": [0, 128]}', b"[]"):
        with pytest.raises(UnfitModel, match=r"golden/expected\.json"):
            parse_expected(broken)
