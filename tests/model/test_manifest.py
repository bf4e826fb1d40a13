from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from model.errors import UnfitModel
from model.manifest import parse_expected, parse_manifest
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
    "brightness beyond 255": (with_(300, "image_limits", "dark_below"), r"\$\.image_limits\.dark_below"),
}


@pytest.mark.parametrize(("change", "named"), BROKEN.values(), ids=BROKEN)
def test_a_broken_manifest_is_refused_by_the_name_of_the_key(change: Callable[[Document], object], named: str) -> None:
    document = json.loads(shipped()[0].manifest)
    change(document)

    with pytest.raises(UnfitModel, match=f"manifest.json: .*{named}.* Publish the bundle again"):
        parse_manifest(json.dumps(document).encode())


@pytest.mark.parametrize("document", [b"", b"[]", b"{", b"\xff\xfe", b"null"], ids=repr)
def test_what_is_no_json_table_is_refused(document: bytes) -> None:
    with pytest.raises(UnfitModel, match=r"manifest\.json"):
        parse_manifest(document)


def test_golden_outputs_are_two_int8_a_picture() -> None:
    assert parse_expected(b'{"golden/1.jpg": [-128, 127]}') == {"golden/1.jpg": (-128, 127)}
    for broken in (b'{"golden/1.jpg": [1]}', b'{"golden/1.jpg": [0, 128]}', b"[]"):
        with pytest.raises(UnfitModel, match=r"golden/expected\.json"):
            parse_expected(broken)
