"""What a connection has carried, headers of TCP and IP included, as the kernel counts it."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final

HEADER_BYTES: Final = 52  # of a segment: IPv4 20, TCP 20 and its timestamps 12 (RFC 7323), which Linux always sends
MSS_BYTES: Final = 1448  # of Ethernet's 1500; loopback would send 64 kB at once, with a header for all
CLOSING_SEGMENTS: Final = 4  # FIN and its ACK, both ways: they come after the last look
COUNTED: Final = struct.Struct("=QQII")  # <linux/tcp.h>, struct tcp_info: bytes acked and received, segments out and in
COUNTED_AT: Final = 120


@dataclass(frozen=True, slots=True)
class Carried:
    """`data_bytes` above TCP, both ways, in so many segments, those without data too."""

    data_bytes: int = 0
    segments: int = 0

    @property
    def wire_bytes(self) -> int:
        """From the IP header on. Ethernet, Wi-Fi and mobile networks add their own; TLS is above."""
        return self.data_bytes + HEADER_BYTES * self.segments

    def __add__(self, other: Carried) -> Carried:
        return Carried(self.data_bytes + other.data_bytes, self.segments + other.segments)

    def __sub__(self, other: Carried) -> Carried:
        return Carried(self.data_bytes - other.data_bytes, self.segments - other.segments)


def client_socket() -> socket.socket:
    """One whose segments are as long as on a real network, both ways."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, MSS_BYTES)
    made.setblocking(False)
    return made


def carried(link: socket.socket) -> Carried:
    """Since the connection began, its handshake included."""
    info = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, COUNTED_AT + COUNTED.size)
    acked, received, segments_out, segments_in = COUNTED.unpack_from(info, COUNTED_AT)
    return Carried(acked + received, segments_out + segments_in)
