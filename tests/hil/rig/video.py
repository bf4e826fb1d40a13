"""Uses a camera as the kernel's uvcvideo does: agrees, submits transfers, puts frames together from their payloads."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from hil.rig.camera import COMMIT, PROBE
from hil.rig.packets import CancelDataPacket, Packet
from hil.rig.uvc import AGREEMENT, PAYLOAD_BYTES, STREAM_ENDPOINT, STREAM_INTERFACE
from hil.rig.uvc_controls import GET_CUR, SET_CUR
from tests.hil.rig.guest import Guest, bulk_data, within_limit

URBS = 5  # UVC_URBS
QUIET_S = 0.2
FROM_INTERFACE, TO_INTERFACE = 0xA1, 0x21
MJPEG, YUYV = 1, 2
VGA, QVGA, HD = 1, 2, 3


@dataclass(frozen=True)
class Received:
    data: bytes
    odd: bool
    damaged: bool


class Video:
    """A stream of the camera at `guest`. `urb_bytes` is how much one transfer takes."""

    def __init__(self, guest: Guest, urb_bytes: int = PAYLOAD_BYTES) -> None:
        self._guest = guest
        self._urb_bytes = urb_bytes
        self._urbs: deque[tuple[int, asyncio.Future[Packet]]] = deque()

    async def agree(self, format_index: int, frame_index: int, rate: int) -> None:
        wish = AGREEMENT.pack(1, format_index, frame_index, 10_000_000 // rate, *[0] * 12)
        await self._guest.write(TO_INTERFACE, SET_CUR, PROBE << 8, STREAM_INTERFACE, wish)
        granted = await self._guest.read(FROM_INTERFACE, GET_CUR, PROBE << 8, STREAM_INTERFACE, 34)
        await self._guest.write(TO_INTERFACE, SET_CUR, COMMIT << 8, STREAM_INTERFACE, granted)

    async def start(self, format_index: int = MJPEG, frame_index: int = QVGA, rate: int = 30) -> None:
        await self.agree(format_index, frame_index, rate)
        for _ in range(URBS):
            self._submit()

    async def stop(self) -> None:
        """Take the transfers back, too: one left behind would swallow the begin of the next stream."""
        await self._guest.write(0x02, 1, 0, STREAM_ENDPOINT)
        left = [answer for _, answer in self._urbs]
        for number, answer in self._urbs:
            if not answer.done():
                self._guest.send(CancelDataPacket(), number)
        self._urbs.clear()
        for answer in left:
            await within_limit(answer)

    async def frame(self) -> Received:
        data, flags = b"", 0
        while not flags & 0x02:
            payload = await self._payload()
            assert payload[0] == 12
            assert payload[1] & 0x8C == 0x8C, "ends its header, has PTS and SCR"
            assert not data or payload[1] & 1 == flags & 1, "one frame, one id"
            flags |= payload[1]
            data += payload[12:]
        return Received(data, odd=bool(flags & 1), damaged=bool(flags & 0x40))

    async def is_silent(self) -> bool:
        """No transfer is answered for as long as several frames take."""
        answered, _ = await asyncio.wait([answer for _, answer in self._urbs], timeout=QUIET_S)
        return not answered

    async def _payload(self) -> bytes:
        """Ends with a transfer that is not filled, or when it has its full size: uvc_video_decode_bulk()."""
        payload = b""
        while True:
            data = bulk_data(await within_limit(self._urbs.popleft()[1]))
            self._submit()
            if not data and not payload:
                continue  # the end of one that was at its full size anyway
            payload += data
            if len(data) < self._urb_bytes or len(payload) >= PAYLOAD_BYTES:
                return payload

    def _submit(self) -> None:
        self._urbs.append(self._guest.submit(STREAM_ENDPOINT, self._urb_bytes))
