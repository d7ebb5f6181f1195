"""When to try again. Pure: time and chance are arguments."""

from __future__ import annotations

import random
from typing import Callable, Optional

BACKOFF_MIN, BACKOFF_MAX = 0.05, 5.0
# The longest that a server can make a client wait.
PUSHBACK_MAX = 60.0


class Backoff:
    """Delays that grow by half to double with each failure, from 50 ms to 5 s (W14.3)."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next(self, pushback: Optional[float] = None) -> float:
        """Seconds to wait; at least what the server asked for, within reason."""
        ceiling = min(BACKOFF_MAX, BACKOFF_MIN * 2.0 ** min(self._failures, 20))
        self._failures += 1
        # Half is fixed, half is chance: spread out, yet never at once.
        return max(min(pushback or 0.0, PUSHBACK_MAX), ceiling * (0.5 + 0.5 * self._chance()))


class RetryPacer:
    """Spreads the retries of all calls of a client: a burst is free, then so many a second.

    A server that comes back after an outage meets a bounded stream of retries instead of all at
    once.
    """

    def __init__(self, burst: int = 100, per_second: float = 200.0) -> None:
        self._burst = burst
        self._interval = 1.0 / per_second
        self._next_at = 0.0

    def delay(self, now: float) -> float:
        """Books a retry; how many seconds later than planned it should happen."""
        self._next_at = max(self._next_at, now - self._burst * self._interval) + self._interval
        return max(0.0, self._next_at - now)
