"""TLS by hand over a TCP stream, so that a case decides about every record, alert and segment."""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import List, Optional

READ_SIZE = 65536


class Closed(Exception):
    """The peer has ended the connection."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how
        """`close_notify`, `end of file`, or what else."""


class TLSStream:
    """One side of a TLS connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        context: ssl.SSLContext, server_name: Optional[str],
    ) -> None:  # fmt: skip
        self.reader, self.writer = reader, writer
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self._in, self._out, server_side=server_name is None, server_hostname=server_name
        )
        self.split_tcp: Optional[random.Random] = None
        """Cuts what goes out into segments where TLS does not expect it."""

    async def handshake(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
                await self.flush()
                return
            except ssl.SSLWantReadError:
                await self.flush()
                await self._fill()
            except ssl.SSLError:
                # The alert that says why.
                await self.flush()
                raise

    async def write(self, data: bytes) -> None:
        """One or more records."""
        while data:
            count = self.tls.write(data)
            data = data[count:]
        await self.flush()

    async def write_records(self, parts: List[bytes]) -> None:
        """A record for each part; they may reach the peer together."""
        for part in parts:
            if part:
                self.tls.write(part)
        await self.flush()

    async def read(self) -> bytes:
        """What has come; raises Closed at the end."""
        while True:
            try:
                data = self.tls.read(READ_SIZE)
                if data:
                    return data
                raise Closed("close_notify")
            except ssl.SSLWantReadError:
                await self.flush()
                await self._fill()
            except ssl.SSLZeroReturnError:
                raise Closed("close_notify") from None
            except ssl.SSLError as error:
                said = str(error).upper().replace(" ", "_")
                raise Closed(f"TLS: {said}") from None

    async def shutdown(self) -> None:
        """Sends close_notify."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        await self.flush()

    async def flush(self) -> None:
        data = self._out.read()
        try:
            while data:
                size = self.split_tcp.randint(1, 64) if self.split_tcp else len(data)
                self.writer.write(data[:size])
                data = data[size:]
                await self.writer.drain()
        except (ConnectionError, OSError):
            # What it said before is still to be read.
            pass

    def abort(self) -> None:
        self.writer.transport.abort()

    async def _fill(self) -> None:
        try:
            data = await self.reader.read(READ_SIZE)
        except (ConnectionError, OSError) as error:
            raise Closed(f"{type(error).__name__}") from None
        if not data:
            raise Closed("end of file")
        self._in.write(data)


def client_context(
    ca_file: Optional[str], alpn: Optional[str] = "hito/1",
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:  # fmt: skip
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = context.maximum_version = version
    if alpn is not None:
        context.set_alpn_protocols([alpn])
    return context


def server_context(
    certificate: str, key: str, alpn: Optional[str] = "hito/1",
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(certificate, key)
    if alpn is not None:
        context.set_alpn_protocols([alpn])
    return context
