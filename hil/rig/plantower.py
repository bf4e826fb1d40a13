"""What Plantower's sensors send, built from their manuals and not from our decoder: in particles, out bytes."""

from __future__ import annotations

START = b"\x42\x4d"
CLEAN_AIR: tuple[int, ...] = (3, 5, 6, 900, 260, 40, 6, 2, 1)
DIRTY_AIR: tuple[int, ...] = (60, 110, 140, 18000, 5200, 900, 120, 30, 9)


def frame(values: tuple[int, ...] = CLEAN_AIR, *, version: int = 0x97, error: int = 0) -> bytes:
    """PM1, PM2.5, PM10 and six counts; the CF=1 masses in front of them are half as much again."""
    factory = tuple(min(0xFFFF, mass * 3 // 2) for mass in values[:3])
    words = b"".join(word.to_bytes(2, "big") for word in (28, *factory, *values))
    return _summed(START + words + bytes([version, error]))


def answer(code: int, value: int) -> bytes:
    """What a PMS5003 says to a command that it obeys."""
    return _summed(START + bytes([0, 4, code, value]))


def spoilt(data: bytes, at: int = 12) -> bytes:
    """The same with one bit turned over, as a disturbance does."""
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def _summed(body: bytes) -> bytes:
    return body + (sum(body) % 0x10000).to_bytes(2, "big")
