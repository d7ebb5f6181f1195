"""Calls that are made again beside themselves (clients/BEHAVIOUR.md, C2.4)."""

from __future__ import annotations

import asyncio
from typing import Callable, Coroutine, Optional, Set, TypeVar

from hito._retry import PUSHBACK_MAX, Hedging
from hito.errors import HitoError, Unavailable

Result = TypeVar("Result")

COPIES_MAX = 5
_DELAY_MIN = 0.001


async def hedged(
    hedging: Hedging,
    first: Coroutine[object, object, Result],
    beside: Callable[[], Optional[Coroutine[object, object, Result]]],
) -> Result:
    """The result of the first copy that has one, or fails with anything but UNAVAILABLE; the others are
    cancelled then.

    `beside` makes another copy; None where there is none to be made now.
    """
    loop = asyncio.get_running_loop()
    delay = max(_DELAY_MIN, hedging.delay)
    copies = min(max(1, hedging.copies), COPIES_MAX)
    tasks: Set[asyncio.Task[Result]] = {asyncio.create_task(first, name="hito hedged")}
    made = 1
    next_at = loop.time() + delay
    # By one of the copies; what decides may know of itself only.
    is_started = False
    try:
        while True:
            timeout = max(0.0, next_at - loop.time()) if made < copies else None
            done, tasks = await asyncio.wait(
                tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
            failures = [error for task in done if (error := task.exception()) is not None]
            for task in done:
                if task.exception() is None:
                    return task.result()
            # Where copies end together, what is not UNAVAILABLE decides.
            failures.sort(key=lambda failure: isinstance(failure, Unavailable))
            is_started = is_started or any(map(_may_have_started, failures))
            for failure in failures:
                if not isinstance(failure, Unavailable) or not tasks:
                    if isinstance(failure, HitoError) and (is_started or tasks):
                        failure.not_started = False
                    raise failure
                # A server that asks for time is not asked again before.
                pushback = min(failure.retry_delay or 0.0, PUSHBACK_MAX)
                next_at = max(next_at, loop.time() + pushback)
            if made < copies and loop.time() >= next_at:
                next_at = loop.time() + delay
                copy = beside()
                if copy is not None:
                    made += 1
                    tasks.add(asyncio.create_task(copy, name="hito hedge"))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _may_have_started(failure: BaseException) -> bool:
    return not (isinstance(failure, HitoError) and failure.not_started)
