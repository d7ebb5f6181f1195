"""Blocking code beside an event loop: in threads that nothing waits for at the end of the program."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from typing import AsyncIterator, Callable, Generic, Iterable, Optional, Tuple, TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")

_NEXT, _CLOSE = "next", "close"


async def in_thread(function: Callable[[], Result]) -> Result:
    """What `function` returns, from a thread of its own. Where the caller is cancelled it runs on, and
    nobody hears what came of it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            result = context.run(function)
        except BaseException as error:
            _post(loop, _fail, future, error)
        else:
            _post(loop, _succeed, future, result)

    threading.Thread(target=run, name="hito blocking", daemon=True).start()
    return await future


class Pulled(Generic[Item]):
    """An async iterator over a blocking one, which runs in a thread of its own: one item ahead of nobody,
    because the next is asked for when the one before was sent."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = items
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._wanted: "queue.SimpleQueue[Tuple[str, Optional[asyncio.Future[Tuple[Item, ...]]]]]"
        self._wanted = queue.SimpleQueue()
        self._thread: Optional[threading.Thread] = None

    async def __aiter__(self) -> AsyncIterator[Item]:
        self._thread = threading.Thread(
            target=self._context.run, args=(self._run,), name="hito requests", daemon=True
        )
        self._thread.start()
        try:
            while True:
                future: asyncio.Future[Tuple[Item, ...]] = self._loop.create_future()
                self._wanted.put((_NEXT, future))
                found = await future
                if not found:
                    return
                yield found[0]
        finally:
            self._wanted.put((_CLOSE, None))

    def _run(self) -> None:
        iterator = None
        while True:
            action, future = self._wanted.get()
            if future is None or action == _CLOSE:
                break
            try:
                iterator = iter(self._items) if iterator is None else iterator
                found: Tuple[Item, ...] = (next(iterator),)
            except StopIteration:
                _post(self._loop, _succeed, future, ())
                break
            except BaseException as error:
                _post(self._loop, _fail, future, error)
                break
            _post(self._loop, _succeed, future, found)
        # A generator that is left in the middle ends in the thread that it ran in.
        close = getattr(iterator, "close", None)
        if callable(close):
            close()


def _post(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object) -> None:
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        pass  # The loop is closed, and whoever waited has gone.


def _succeed(future: "asyncio.Future[Result]", result: Result) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Result]", error: BaseException) -> None:
    if future.done():
        return
    if isinstance(error, (StopIteration, KeyboardInterrupt, SystemExit)):
        # A future takes none of them.
        failure = RuntimeError(f"{type(error).__name__} in a thread")
        failure.__cause__ = error
        error = failure
    future.set_exception(error)
