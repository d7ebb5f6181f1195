"""What a client tells of itself (clients/BEHAVIOUR.md, C5.9)."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from typing import Callable, Literal, Mapping, NamedTuple, Optional, Union

from hito.errors import CancelledCall, HitoError

Level = Literal["debug", "info", "warning"]

_TEXT_MAX = 256


class LogRecord(NamedTuple):
    """Something that happened to a client. It never has tokens, metadata, messages or keys."""

    level: Level
    event: str
    """A name of C5.9, such as `call_ended`."""
    text: str
    """A sentence for people."""
    fields: Mapping[str, Union[str, int]]


LogFunction = Callable[[LogRecord], None]


def log_to(logger: logging.Logger) -> LogFunction:
    """A log function over a logger of the standard library. The fields are in `extra`, each with `hito_`
    before its name, and the event in `hito_event`."""
    levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}

    def log(record: LogRecord) -> None:
        level = levels[record.level]
        if logger.isEnabledFor(level):
            extra = {f"hito_{name}": value for name, value in record.fields.items()}
            logger.log(level, "%s", record.text, extra={**extra, "hito_event": record.event})

    return log


class Log:
    """Makes the records of a client; none where nobody listens."""

    def __init__(self, function: Optional[LogFunction]) -> None:
        self._function = function
        self._calls = itertools.count(1)

    def tell(
        self, level: Level, event: str, text: str, **fields: Union[str, int]
    ) -> None:
        if self._function is None:
            return
        shown = {name: _shown(value) for name, value in fields.items()}
        try:
            self._function(LogRecord(level, event, str(_shown(text)), shown))
        except Exception:
            pass  # Nothing that a listener does changes what happens.

    def call(self, method: str) -> "CallLog":
        # Nothing is counted or written where nobody listens.
        number = 0 if self._function is None else next(self._calls)
        return CallLog(self, number, method)


class CallLog:
    """The records of one call."""

    def __init__(self, log: Log, number: int, method: str) -> None:
        self._log = log
        self._number = number
        self._method = method
        self._began = time.monotonic()
        self._attempts = 1
        self._is_begun = False
        self._is_ended = False

    def begun(self) -> None:
        if self._number and not self._is_begun:
            self._is_begun = True
            self._tell("debug", "call_started", f"{self._method} begins")

    def repeated(self, error: HitoError, delay: float) -> None:
        if not self._number:
            return
        self._attempts += 1
        status, delay_ms = error.code.name, round(delay * 1000)
        text = f"{self._method} is repeated in {delay_ms} ms after {status}: {error.message}"
        self._tell(
            "info", "call_repeated", text, attempt=self._attempts, status=status, delay_ms=delay_ms
        )

    def hedged(self, copy: int) -> None:
        self._tell("debug", "call_hedged", f"{self._method} is asked again beside", copy=copy)

    def ended(self, error: Optional[BaseException] = None) -> None:
        """`error`: how it failed; None where it went well."""
        if self._is_ended or not self._is_begun:
            return
        self._is_ended = True
        level: Level = "debug"
        status, why = "OK", ""
        if isinstance(error, HitoError):
            status, why = error.code.name, f": {error.message}"
            is_own = isinstance(error, CancelledCall) and not error.from_server
            level = "debug" if is_own else "info"
        elif isinstance(error, (asyncio.CancelledError, GeneratorExit)):
            status = "CANCELLED"
        elif error is not None:
            level, status, why = "info", "UNKNOWN", f": {type(error).__name__}"
        took = round((time.monotonic() - self._began) * 1000)
        text = f"{self._method} ended with {status} after {took} ms{why}"
        self._tell(
            level, "call_ended", text, status=status, duration_ms=took, attempts=self._attempts
        )

    def _tell(self, level: Level, event: str, text: str, **fields: Union[str, int]) -> None:
        if self._number:
            self._log.tell(level, event, text, call=self._number, method=self._method, **fields)


def _shown(value: Union[str, int]) -> Union[str, int]:
    """What a peer says does not write lines or terminal commands into a log."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value[:_TEXT_MAX])
    return value
