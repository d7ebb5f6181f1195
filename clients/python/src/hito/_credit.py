"""The two ends of a credit window (W9). Pure values."""

from __future__ import annotations

from hito._wire import CREDIT_MAX, FLOW_CONTROL, FRAGMENT_MIN, WireError


class SendWindow:
    """What we may still send."""

    def __init__(self, granted: int) -> None:
        self.available = granted

    def grant(self, amount: int) -> None:
        if self.available + amount > CREDIT_MAX:
            raise WireError(FLOW_CONTROL, "credit above its maximum")
        self.available += amount

    def take(self, amount: int) -> None:
        self.available -= amount


class ReceiveWindow:
    """What the peer may still send, and what we owe it for bytes that were consumed."""

    def __init__(self, initial: int) -> None:
        self._available = initial
        self._owed = 0
        # In large steps: a CREDIT frame per message would double the frames (W9.5). A small window
        # goes back at once, so that the server never lacks the credit for a fragment.
        self._step = max(initial // 4, FRAGMENT_MIN) if initial >= 2 * FRAGMENT_MIN else 1

    def received(self, amount: int) -> None:
        if amount > self._available:
            raise WireError(FLOW_CONTROL, "more bytes than were granted")
        self._available -= amount

    def consumed(self, amount: int) -> int:
        """Takes note of bytes that no longer take room; returns the credit to grant now, or 0."""
        self._owed += amount
        if self._owed < self._step:
            return 0
        granted, self._owed = self._owed, 0
        self._available += granted
        return granted
