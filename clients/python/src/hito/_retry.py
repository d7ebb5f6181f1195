"""When to try again. Pure: time and chance are arguments."""

from __future__ import annotations

import random
from typing import Callable, NamedTuple, Optional

from hito.errors import Unavailable

BACKOFF_MIN, BACKOFF_MAX = 0.05, 5.0
# The longest that a server can make a client wait.
PUSHBACK_MAX = 60.0


class RetryBudget(NamedTuple):
    """How many repeats the calls of a client have together."""

    burst: int = 100
    """At once."""
    per_second: float = 200.0
    """When that is used up: further repeats wait, and further copies are not made."""


class Hedging(NamedTuple):
    """When a call is made again beside itself: the first response counts, the other copies are
    cancelled."""

    delay: float
    """Seconds between one copy and the next; a millisecond or more."""
    copies: int = 2
    """In all, 1 (not hedged) to 5."""


def backoff(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures before the last: half is fixed, half is chance."""
    ceiling = min(BACKOFF_MAX, BACKOFF_MIN * 2.0 ** min(failures, 20))
    return ceiling * (0.5 + 0.5 * chance)


class Backoff:
    """Delays that grow by half to double with each failure, from 50 ms to 5 s (W14.3)."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next(self, pushback: Optional[float] = None) -> float:
        """Seconds to wait; at least what the server asked for, within reason."""
        delay = backoff(self._failures, self._chance())
        self._failures += 1
        return max(min(pushback or 0.0, PUSHBACK_MAX), delay)


class RetryPacer:
    """Spreads the retries of all calls of a client: a burst is free, then so many a second.

    A server that comes back after an outage meets a bounded stream of retries instead of all at
    once.
    """

    def __init__(self, burst: int = 100, per_second: float = 200.0) -> None:
        self._burst = max(1, burst)
        self._interval = 1.0 / max(per_second, 1e-3)
        self._next_at = float("-inf")

    def delay(self, now: float) -> float:
        """Books a retry; how many seconds later than planned it should happen."""
        self._next_at = max(self._next_at, now - self._burst * self._interval) + self._interval
        return max(0.0, self._next_at - now)

    def take_now(self, now: float) -> bool:
        """Books a retry that is of use now or not at all; False where there is none left."""
        start = max(self._next_at, now - self._burst * self._interval)
        # Beyond the rounding of a sum of intervals.
        if start + self._interval > now + self._interval * 1e-6:
            return False
        self._next_at = start + self._interval
        return True


class Repeats:
    """Whether a call that failed is repeated, and when."""

    def __init__(
        self, pacer: RetryPacer, deadline: Optional[float], repeat_time: Optional[float] = None
    ) -> None:
        """`repeat_time`: for how long after its first failure a call without a deadline is repeated;
        without end where None."""
        self._pacer = pacer
        self._backoff = Backoff()
        self._end = deadline
        self._repeat_time = repeat_time

    def delay(self, error: Unavailable, may_repeat: bool, now: float) -> float:
        """How long to wait before the next attempt; raises `error` where there is to be none."""
        if self._end is None and self._repeat_time is not None:
            self._end = now + self._repeat_time
        # With a cursor where it continues is the caller's to say: the same request might begin
        # elsewhere.
        if not may_repeat or error.is_lasting or error.resume_cursor:
            raise error
        wait = self._backoff.next(error.retry_delay)
        self._check(error, now + wait)
        wait += self._pacer.delay(now)
        self._check(error, now + wait)
        return wait

    def _check(self, error: Unavailable, at: float) -> None:
        if self._end is not None and at >= self._end:
            raise error
