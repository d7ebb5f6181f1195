"""Waits that another task can end."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, Optional, TypeVar

from hito.errors import CancelledCall

Result = TypeVar("Result")


class EndableWait:
    """What one task waits for, until it is there or another task says `end`."""

    def __init__(self) -> None:
        self.is_ended = False
        self._future: Optional[asyncio.Future[Any]] = None

    async def until(
        self, awaitable: Awaitable[Result], undo: Optional[Callable[[Result], None]] = None
    ) -> Result:
        """Raises CancelledCall when `end` is, or was, called; `undo` gets what came then all the same."""
        future = asyncio.ensure_future(awaitable)
        if self.is_ended:
            future.cancel()
        self._future = future
        try:
            return await future
        except asyncio.CancelledError:
            if undo is not None and future.done() and not future.cancelled():
                if future.exception() is None:
                    undo(future.result())
            task = asyncio.current_task()
            if not self.is_ended or (task is not None and task.cancelling()):
                raise
            raise CancelledCall("the stream was closed", not_started=True) from None
        finally:
            self._future = None

    def end(self) -> None:
        self.is_ended = True
        if self._future is not None:
            self._future.cancel()
