"""Boards and models as tests of updates need them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from firmware.update.fitness import BoardFacts, Examined, Speed
from model.manifest import Manifest, parse_manifest
from model.selftest import Answers
from model.shipped import shipped_bundle

BOARD = BoardFacts(
    hardware=frozenset({"any", "aarch64", "raspberrypi,4-model-b"}),
    runtime="ai-edge-litert",
    runtime_version="2.3.0",
    image_quality=1,
    latency_budget_ms=150.0,
)
GOOD = Examined(
    golden=Answers(pictures=8, agreement=1.0, worst_lsb=1, accuracy=1.0),
    accuracy_before=1.0,
    speed=Speed(runs=100, p50_ms=8.0, p95_ms=12.0),
    memory_mib=60.0,
)


def tar_of(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def manifest(**changes: Any) -> Manifest:
    document = json.loads((shipped_bundle() / "manifest.json").read_bytes())
    return parse_manifest(json.dumps(document | changes).encode())


def examined(*, golden: dict[str, Any] | None = None, speed: dict[str, Any] | None = None, **changes: Any) -> Examined:
    return replace(
        GOOD, golden=replace(GOOD.golden, **golden or {}), speed=replace(GOOD.speed, **speed or {}), **changes
    )
