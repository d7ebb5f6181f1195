"""What went over a TCP relay, as a capture that tshark reads: no raw sockets, no privileges."""

from __future__ import annotations

import asyncio
import struct
import time
from pathlib import Path
from typing import List, NamedTuple, Tuple

_LINKTYPE_RAW_IPV4 = 228
_SYN, _FIN, _ACK, _PUSH = 2, 1, 16, 8
_SEGMENT_MAX = 16000


class _Segment(NamedTuple):
    at: float
    from_client: bool
    flags: int
    data: bytes


class Capture:
    """A relay to a server that keeps every byte."""

    def __init__(self, server: Tuple[str, int]) -> None:
        self._server = server
        self._connections: List[List[_Segment]] = []

    async def __aenter__(self) -> "Capture":
        self._listener = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port: int = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        segments: List[_Segment] = []
        self._connections.append(segments)
        there, away = await asyncio.open_connection(*self._server)

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, own: bool) -> None:
            try:
                while data := await source.read(_SEGMENT_MAX):
                    segments.append(_Segment(time.time(), own, _ACK | _PUSH, data))
                    target.write(data)
                    await target.drain()
                target.write_eof()
            except (ConnectionError, OSError):
                target.close()
            segments.append(_Segment(time.time(), own, _ACK | _FIN, b""))

        await asyncio.gather(pump(reader, away, True), pump(there, writer, False))
        writer.close()
        away.close()

    def write(self, path: Path, server_port: int = 7443) -> None:
        """The capture, with a connection's client on a port of its own and the server on 7443."""
        packets: List[Tuple[float, bytes]] = []
        for number, segments in enumerate(self._connections):
            packets += _packets(segments, 40_000 + number, server_port)
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _LINKTYPE_RAW_IPV4))
            for at, packet in sorted(packets, key=lambda one: one[0]):
                seconds, micros = divmod(int(at * 1e6), 1_000_000)
                file.write(struct.pack("<IIII", seconds, micros, len(packet), len(packet)) + packet)


def _packets(segments: List[_Segment], client: int, server: int) -> List[Tuple[float, bytes]]:
    """With a handshake before, and sequence numbers as if each segment was acknowledged."""
    first = segments[0].at if segments else time.time()
    begun = [
        _Segment(first - 3e-5, True, _SYN, b""), _Segment(first - 2e-5, False, _SYN | _ACK, b""),
        _Segment(first - 1e-5, True, _ACK, b""),
    ]  # fmt: skip
    following = {True: 1000, False: 2000}
    packets = []
    for segment in begun + segments:
        own = segment.from_client
        ports = (client, server) if own else (server, client)
        acknowledged = following[not own] if segment.flags & _ACK else 0
        tcp = struct.pack(
            ">HHIIBBHHH", *ports, following[own], acknowledged, 5 << 4, segment.flags, 65535, 0, 0
        )
        following[own] += len(segment.data) + (1 if segment.flags & (_SYN | _FIN) else 0)
        addresses = (b"\x0a\0\0\1", b"\x0a\0\0\2") if own else (b"\x0a\0\0\2", b"\x0a\0\0\1")
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 40 + len(segment.data), 0, 0, 64, 6, 0, *addresses
        )
        packets.append((segment.at, ip + tcp + segment.data))
    return packets
