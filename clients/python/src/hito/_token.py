"""Tokens that are made anew while a client lives (clients/BEHAVIOUR.md, C5.8)."""

from __future__ import annotations

import asyncio
import inspect
import random
from typing import Awaitable, Callable, NamedTuple, Optional, Union

from hito._log import Log
from hito._retry import Backoff
from hito._threads import in_thread
from hito.errors import CancelledCall, HitoError, Unauthenticated

_TOKEN_BYTES_MAX = 256
_MARGIN_MAX = 10.0


class Token(NamedTuple):
    """What a token provider answers with, where it knows for how long the token is valid."""

    text: str
    valid_for: Optional[float] = None
    """Seconds from now."""


TokenProvider = Callable[[], Union[str, Token, Awaitable[Union[str, Token]]]]
"""Makes a token. One that is not `async` runs in a thread of its own."""


class _Useless(Exception):
    """What the provider gave is no token."""


class Tokens:
    """The current token of a client, and the one question for the next. Used on one event loop only."""

    def __init__(
        self,
        provider: TokenProvider,
        timeout: float,
        log: Log,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._provider = provider
        self._timeout = timeout
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._text: Optional[str] = None
        self._valid_until = float("inf")
        self._renew_at = float("inf")
        self._refused_text: Optional[str] = None
        # Whether a call under the current one had another answer than that it is refused.
        self._is_proven = False
        self._refusals = 0
        self._backoff = Backoff(chance)
        self._rest_until = float("-inf")
        self._question: Optional[asyncio.Task[None]] = None
        self._failure: Optional[BaseException] = None
        self._reason = "the token provider has no token"
        self._is_closed = False

    async def get(self) -> str:
        """The current token; the provider is asked where there is none, or soon none. Raises
        Unauthenticated where it has none to give."""
        self._check_open()
        if self._text is not None and self._loop.time() < self._renew_at:
            return self._text
        if self._question is not None or self._loop.time() >= self._rest_until:
            if self._question is None:
                self._question = asyncio.create_task(self._ask(), name="hito token")
            # For all that wait: one that goes leaves it to the others.
            await asyncio.shield(self._question)
            self._check_open()
        if self._text is not None and self._loop.time() < self._valid_until:
            return self._text
        raise Unauthenticated(self._reason, not_started=True) from self._failure

    def refused(self, text: str) -> None:
        """A server did not take it."""
        if text != self._text:
            return  # Another one is current by now.
        self._text, self._refused_text = None, text
        self._refusals = 0 if self._is_proven else self._refusals + 1
        if self._refusals >= 2:
            self._rest("the server refuses the tokens of the provider", None)

    def taken(self, text: str) -> None:
        """A server answered a call that had it."""
        if text == self._text and not self._is_proven:
            self._is_proven = True
            self._refusals = 0
            self._backoff.reset()

    def close(self) -> None:
        self._is_closed = True
        if self._question is not None:
            self._question.cancel()

    def _check_open(self) -> None:
        if self._is_closed:
            raise CancelledCall("the client is closed", not_started=True)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                token = await self._answer()
            self._take(token)
        except asyncio.CancelledError:
            if not self._is_closed:
                raise
        except TimeoutError:
            self._rest("the token provider did not answer in time", None)
        except _Useless as error:
            self._rest(str(error), None)
        except Exception as error:
            # Its text is the provider's own, and may name what nobody should read.
            self._rest(f"the token provider failed with {type(error).__name__}", error)
        finally:
            self._question = None

    async def _answer(self) -> Union[str, Token]:
        answer: Union[str, Token, Awaitable[Union[str, Token]]]
        if inspect.iscoroutinefunction(self._provider):
            answer = self._provider()
        else:
            # It may block, which the loop must not.
            answer = await in_thread(self._asked)
        return await answer if inspect.isawaitable(answer) else answer

    def _asked(self) -> Union[str, Token, Awaitable[Union[str, Token]]]:
        return self._provider()

    def _take(self, answer: Union[str, Token]) -> None:
        text, valid_for = answer if isinstance(answer, Token) else (answer, None)
        if not _is_sendable(text):
            raise _Useless("the token provider gave what may not be sent")
        if text == self._refused_text:
            raise _Useless("the token provider gave the token that was refused")
        if valid_for is not None and not valid_for > 0:
            raise _Useless("the token provider gave a token that is not valid any more")
        now = self._loop.time()
        self._text, self._is_proven = text, False
        self._failure = None
        self._valid_until = self._renew_at = float("inf")
        if valid_for is not None:
            self._valid_until = now + valid_for
            self._renew_at = self._valid_until - min(_MARGIN_MAX, valid_for / 10)
        valid_ms = -1 if valid_for is None else round(min(valid_for, 1e12) * 1000)
        self._log.tell("info", "token_refreshed", "there is a new token", valid_ms=valid_ms)

    def _rest(self, reason: str, failure: Optional[BaseException]) -> None:
        self._reason, self._failure = reason, failure
        seconds = self._backoff.next()
        self._rest_until = self._loop.time() + seconds
        self._log.tell(
            "warning", "token_failed", f"no new token: {reason}",
            reason=reason, rest_ms=round(seconds * 1000),
        )  # fmt: skip



class CallToken:
    """The token of one call, for each of its attempts: the caller's own, or the provider's."""

    def __init__(self, tokens: Optional[Tokens], own: Optional[str]) -> None:
        self._own = own
        self._tokens = tokens if own is None else None
        self._text = ""
        self._refusal: Optional[HitoError] = None

    async def next(self, is_started: bool) -> Optional[str]:
        """For the next attempt. `is_started`: whether the server perhaps began one before."""
        if self._tokens is None:
            return self._own
        try:
            self._text = await self._tokens.get()
        except Unauthenticated as error:
            if self._refusal is not None:
                raise self._refusal from error.__cause__
            error.not_started = not is_started
            raise
        return self._text

    @property
    def is_provided(self) -> bool:
        return self._tokens is not None

    @property
    def is_refused(self) -> bool:
        """Whether the server refused one of the provider's."""
        return self._refusal is not None

    def answered(self) -> None:
        """The server answered under it."""
        if self._tokens is not None:
            self._tokens.taken(self._text)

    def failed(self, error: HitoError) -> bool:
        """An attempt failed; whether it is to be repeated under another token, which is once."""
        if self._tokens is None or not error.from_server:
            return False
        if not isinstance(error, Unauthenticated):
            self._tokens.taken(self._text)
            return False
        self._tokens.refused(self._text)
        is_first, self._refusal = self._refusal is None, error
        return is_first


def _is_sendable(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(encoded) <= _TOKEN_BYTES_MAX and b"\0" not in encoded
