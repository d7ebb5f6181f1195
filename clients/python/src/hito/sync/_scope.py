"""Calls that another thread can cancel."""

from __future__ import annotations

import contextvars
import threading
from typing import Callable, Iterator, List, Optional

from hito.errors import CancelledCall

_current: "contextvars.ContextVar[Optional[CancelScope]]" = contextvars.ContextVar(
    "hito.sync.CancelScope", default=None
)


class CancelScope:
    """Cancels what a thread waits for, from another thread.

        scope = hito.sync.CancelScope()
        button.on_click(scope.cancel)
        with scope:
            client.goals.list_goals(request)      # raises CancelledCall when the button is clicked

    It holds for the blocking calls that are made inside `with`, also inside a scope within it; what is
    called after `cancel` does not begin.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._is_cancelled = False
        self._waiting: List[Callable[[], None]] = []
        self._outer: Optional[CancelScope] = None
        self._token: Optional[contextvars.Token[Optional[CancelScope]]] = None

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled

    def cancel(self) -> None:
        """May be called by any thread, and again."""
        with self._lock:
            self._is_cancelled = True
            waiting, self._waiting = self._waiting, []
        for cancel in waiting:
            cancel()

    def __enter__(self) -> "CancelScope":
        if self._token is not None:
            raise RuntimeError("a scope is entered once at a time: make one for each thread")
        self._outer = _current.get()
        self._token = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _current.reset(self._token)
            self._token = self._outer = None

    def _add(self, cancel: Callable[[], None]) -> None:
        with self._lock:
            if not self._is_cancelled:
                self._waiting.append(cancel)
                return
        cancel()

    def _remove(self, cancel: Callable[[], None]) -> None:
        with self._lock:
            if cancel in self._waiting:
                self._waiting.remove(cancel)


class Waiting:
    """A wait of this thread, in the scopes around it."""

    def __init__(self, scoped: bool = True) -> None:
        self._scopes = list(_around()) if scoped else []
        self._cancel: Optional[Callable[[], None]] = None

    def check(self) -> None:
        """Raises where one of them is cancelled already."""
        if any(scope.is_cancelled for scope in self._scopes):
            raise CancelledCall("the scope was cancelled", not_started=True)

    def begin(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        for scope in self._scopes:
            scope._add(cancel)

    def end(self) -> None:
        if self._cancel is not None:
            for scope in self._scopes:
                scope._remove(self._cancel)


def _around() -> Iterator[CancelScope]:
    scope = _current.get()
    while scope is not None:
        yield scope
        scope = scope._outer
