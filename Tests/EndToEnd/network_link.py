"""The way from a server to its PostgreSQL or its broker, which can be cut or held up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import List, Set, Tuple, Union

Stream = Tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """Forwards a port of this machine to a socket, or to another port. What it does to its connections:

    open ── hold ──▶ nothing passes, and nobody is told ── release ──▶ all of it arrives late
         ── cut ──▶ both sides lose their connections, new ones are refused ── heal ──▶
         ── part ──▶ PostgreSQL loses them, the server is told nothing ── heal ──▶
    """

    def __init__(self, far: Union[Path, int]) -> None:
        self._far_end = far
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_parted = False
        self._is_cut = False
        self._near: Set[asyncio.StreamWriter] = set()
        self._far: Set[asyncio.StreamWriter] = set()
        self._tasks: Set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> "Link":
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def hold(self) -> None:
        self._flows.clear()

    def release(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        self._is_cut = True
        self._abort([*self._near, *self._far])

    def part(self) -> None:
        self._is_cut = self._is_parted = True
        self._abort([*self._far])

    def heal(self) -> None:
        """Lets new connections through. The server loses those that PostgreSQL lost before."""
        if self._is_parted:
            self._abort([*self._near])
        self._is_cut = self._is_parted = False
        self._flows.set()

    async def close(self) -> None:
        self._listener.close()
        self.cut()
        self._flows.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _abort(self, writers: List[asyncio.StreamWriter]) -> None:
        for writer in writers:
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            if isinstance(self._far_end, int):
                far_reader, far = await asyncio.open_connection("127.0.0.1", self._far_end)
            else:
                far_reader, far = await asyncio.open_unix_connection(str(self._far_end))
        except OSError:
            writer.transport.abort()
            return
        self._near.add(writer)
        self._far.add(far)
        try:
            there = asyncio.create_task(self._pump(reader, far))
            back = asyncio.create_task(self._pump(far_reader, writer))
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            far.transport.abort()
            while self._is_parted and not reader.at_eof():
                # What it sends is read by nobody.
                await asyncio.sleep(0.05)
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        finally:
            writer.transport.abort()
            self._near.discard(writer)
            self._far.discard(far)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
