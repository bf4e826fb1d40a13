"""What a firmware asks of a model on trial in another process, and the answers: the form on the pipe between them.

A message is its length as four bytes, big end first, then JSON; a shot is followed by the bytes of its pictures.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import msgspec

from drivers.types import Frame, Instant, PixelFormat, SourceId

LENGTH = struct.Struct(">I")
MAX_MESSAGE_BYTES = 64_000
MAX_PICTURE_BYTES = 32_000_000  # YUYV of 8 megapixels has half of it


class View(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frame without its payload, of which `length` bytes follow."""

    pixel_format: PixelFormat
    width: int
    height: int
    length: int


class Judge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="judge"):
    """What does the model say of this shot?"""

    source: str
    lit: View
    dark: View | None


class Measure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="measure"):
    """How long does it take? Golden pictures are judged for so many seconds, with pauses."""

    seconds: float


class Loaded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="loaded"):
    """The first answer, which nobody has to ask for: it answers its golden pictures like this."""

    pictures: int
    agreement: float
    worst_lsb: int
    accuracy: float | None
    accuracy_before: float | None
    memory_mib: float


class Refused(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refused"):
    """The first answer of a bundle that cannot be used."""

    problem: str


class Judged(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="judged"):
    label: str
    score: float | None
    took_ms: float


class Measured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="measured"):
    times_ms: list[float]


Question = Judge | Measure
Answer = Loaded | Refused | Judged | Measured
_question = msgspec.json.Decoder(Question)
_answer = msgspec.json.Decoder(Answer)


def packed(message: Question | Answer) -> bytes:
    content = msgspec.json.encode(message)
    return LENGTH.pack(len(content)) + content


def length_of(head: bytes) -> int:
    """Of the message that follows. Raises ValueError beyond `MAX_MESSAGE_BYTES`."""
    (length,) = LENGTH.unpack(head)
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {length} bytes")
    return int(length)


def question_of(content: bytes) -> Question:
    """Raises `msgspec.MsgspecError`."""
    found: Question = _question.decode(content)
    return found


def answer_of(content: bytes) -> Answer:
    """Raises `msgspec.MsgspecError`."""
    found: Answer = _answer.decode(content)
    return found


def view_of(frame: Frame) -> View:
    return View(pixel_format=frame.pixel_format, width=frame.width, height=frame.height, length=frame.payload.nbytes)


def frame_of(view: View, source: str, read: Callable[[int], bytes]) -> Frame:
    """`read` gives the next bytes. Raises ValueError beyond `MAX_PICTURE_BYTES`."""
    if not 0 <= view.length <= MAX_PICTURE_BYTES:
        raise ValueError(f"a picture of {view.length} bytes")
    return Frame(
        source=SourceId(source),
        sequence=0,
        payload=memoryview(read(view.length)),
        pixel_format=view.pixel_format,
        width=view.width,
        height=view.height,
        captured_ns=0,
        at=Instant(0),
    )
