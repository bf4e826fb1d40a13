"""Values for tests: everything has a default, a test names only what matters."""

from __future__ import annotations

from drivers.types import NS_PER_S, Frame, Instant, PixelFormat, Quality, Quantity, Reading, SourceId
from model.types import Cleanliness, Degree, Label, ModelId, Reason, Verdict

MODEL = ModelId("test", "1")


def at(seconds: float) -> Instant:
    return Instant(round(seconds * NS_PER_S))


def frame(source: str = "upstream", *, taken_s: float = 0.0, sequence: int = 0, payload: bytes = b"") -> Frame:
    return Frame(
        source=SourceId(source),
        sequence=sequence,
        payload=memoryview(payload),
        pixel_format=PixelFormat.MJPEG,
        width=640,
        height=480,
        captured_ns=at(taken_s),
        at=at(taken_s),
    )


def reading(
    value: float,
    *,
    source: str = "duct-pm",
    quantity: Quantity = Quantity.PM2_5,
    taken_s: float = 0.0,
    quality: Quality = Quality.GOOD,
) -> Reading:
    return Reading(source=SourceId(source), quantity=quantity, value=value, at=at(taken_s), quality=quality)


def verdict(
    label: Label = Label.CLEAN,
    *,
    source: str = "upstream",
    score: float | None = 0.1,
    reasons: tuple[Reason, ...] = (),
    taken_s: float = 0.0,
    degree: Degree | None = None,
    cleanliness: tuple[Cleanliness, ...] = (),
) -> Verdict:
    return Verdict(
        source=SourceId(source),
        label=label,
        score=score,
        reasons=reasons,
        at=at(taken_s),
        latency_ns=3_000_000,
        model=MODEL,
        degree=degree,
        cleanliness=cleanliness,
    )
