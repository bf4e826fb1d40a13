"""What this board is, as far as models must know it."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

from firmware.update.fitness import ANY, BoardFacts
from model.image_quality import VERSION

COMPATIBLE = Path("/proc/device-tree/compatible")  # Devicetree Specification 0.4, section 2.3.1: the board's own first
MAX_COMPATIBLE_BYTES = 4096
RUNTIME = "ai-edge-litert"


def facts(*, latency_budget_ms: float, named: str | None, compatible: Path = COMPATIBLE) -> BoardFacts:
    """`named`: one more name that this board goes by."""
    names = {ANY, platform.machine(), *_compatible(compatible), *([named] if named else ())}
    return BoardFacts(
        hardware=frozenset(names),
        runtime=RUNTIME,
        runtime_version=metadata.version(RUNTIME),
        image_quality=VERSION,
        latency_budget_ms=latency_budget_ms,
    )


def _compatible(path: Path) -> list[str]:
    """Such as `raspberrypi,4-model-b`, `brcm,bcm2711`; none on a board without a device tree, such as a PC."""
    try:
        with path.open("rb") as file:
            return [name.decode("ascii", "replace") for name in file.read(MAX_COMPATIBLE_BYTES).split(b"\0") if name]
    except OSError:
        return []
