"""The thread that a blocking client lives in: an event loop of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
import weakref
from typing import Any, Callable, Coroutine, TypeVar

from hito.errors import CancelledCall
from hito.sync._scope import Waiting

Result = TypeVar("Result")

# For what is to be told to the server when a caller is interrupted.
_CANCEL_TIMEOUT = 2.0
_STOP_TIMEOUT = 5.0


class LoopThread:
    """Runs coroutines for callers in other threads, which wait for them.

    It works where a loop runs already, as in Jupyter, because that is never asked. A coroutine must not be run
    from the thread itself (by an interceptor, say): it would wait for itself.
    """

    def __init__(self, name: str = "hito client") -> None:
        self._process = os.getpid()
        # Again by a thread that has it, where what is collected meanwhile closes its client.
        self._lock = threading.RLock()
        self._is_closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """What the coroutine returns or raises. Ctrl-C, and any other exception that comes to the
        waiting thread, cancels it and is raised."""
        return self._run_until_done(coroutine, Waiting())

    def finish(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """The same for what ends something: also in a scope that is cancelled, and where the thread has
        ended meanwhile."""
        if self._is_closed:
            coroutine.close()
            return
        with contextlib.suppress(CancelledCall):
            self._run_until_done(coroutine, Waiting(scoped=False))

    def call(self, function: Callable[[], Result]) -> Result:
        """The same for a function that does not wait."""

        async def called() -> Result:
            return function()

        return self.run(called())

    def post(self, make: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Begins a coroutine, if the thread still runs; nobody waits for it."""
        if self._is_closed or self._process != os.getpid():
            return
        try:
            self._loop.call_soon_threadsafe(lambda: self._loop.create_task(_quiet(make())))
        except RuntimeError:
            pass  # It has been closed since.

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs `last`, cancels what is under way, and ends the thread. May be called again, and from any
        thread."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        if self._process != os.getpid():
            return  # The thread is that of the process that this one was forked from.
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._end(last())))
        if threading.current_thread() is not self._thread:
            self._thread.join(2 * _STOP_TIMEOUT)

    # Of callers

    def _run_until_done(
        self, coroutine: Coroutine[Any, Any, Result], waiting: Waiting
    ) -> Result:
        done: concurrent.futures.Future[Result] = concurrent.futures.Future()
        tasks: list[asyncio.Task[Result]] = []

        def begin() -> None:
            if done.cancelled():
                coroutine.close()
                return
            task = self._loop.create_task(coroutine)
            tasks.append(task)
            task.add_done_callback(lambda _: _settle(task, done))

        def cancel() -> None:
            if tasks:
                tasks[0].cancel()
            else:
                done.cancel()

        def cancel_soon() -> None:
            with contextlib.suppress(RuntimeError):  # The loop is closed.
                self._loop.call_soon_threadsafe(cancel)

        try:
            waiting.check()
            self._begin(begin)
        except BaseException:
            coroutine.close()
            raise
        try:
            waiting.begin(cancel_soon)
            return done.result()
        except BaseException:
            if not done.done():
                # It came to this thread, as Ctrl-C does: the server hears that the call is given up.
                cancel_soon()
                concurrent.futures.wait([done], _CANCEL_TIMEOUT)
            raise
        finally:
            waiting.end()

    def _begin(self, begin: Callable[[], None]) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError("a blocking call in the client's own thread would wait for itself")
        if self._process != os.getpid():
            raise RuntimeError("the client was made before a fork: make one in each process")
        with self._lock:
            if self._is_closed:
                raise CancelledCall("the client is closed", not_started=True)
            self._loop.call_soon_threadsafe(begin)

    # Of the thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            self._loop.close()

    async def _end(self, last: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await _quiet(last)
        except TimeoutError:
            pass
        # What is left waits for nothing of the client's: requests of a caller, or its interceptors.
        own = asyncio.current_task()
        left = [task for task in asyncio.all_tasks() if task is not own]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_STOP_TIMEOUT / 2)
        self._loop.stop()


class Caller:
    """The way into the thread for all that is of one client. The thread ends with the last reference to
    it, where nobody closes it."""

    def __init__(
        self, thread: LoopThread, last: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self._thread = thread
        self.run = thread.run
        self.call = thread.call
        self.post = thread.post
        self.finish = thread.finish
        self.close = weakref.finalize(self, thread.close, last)

def _settle(
    task: "asyncio.Task[Result]", done: "concurrent.futures.Future[Result]"
) -> None:
    if task.cancelled():
        # By Ctrl-C, a scope, or the end of the client.
        done.set_exception(CancelledCall("the call was cancelled"))
        return
    error = task.exception()
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(task.result())


async def _quiet(coroutine: Coroutine[Any, Any, object]) -> None:
    try:
        await coroutine
    except Exception:
        pass  # Of something that ends: nobody is left who could be told.
