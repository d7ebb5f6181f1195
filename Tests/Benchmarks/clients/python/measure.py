"""Calls without pause for some seconds, and what one takes of this process's time."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Awaitable, Callable, List

WARM_UP_SECONDS = 1.0


async def measure(call: Callable[[], Awaitable[Any]], seconds: float, in_flight: int) -> None:
    """Prints calls, seconds and CPU of a call as one line of JSON."""
    count = 0

    async def caller() -> None:
        nonlocal count
        while True:
            await call()
            count += 1

    callers = [asyncio.create_task(caller()) for _ in range(in_flight)]
    await during(callers, WARM_UP_SECONDS)
    calls, began, cpu = count, time.monotonic(), time.process_time()
    await during(callers, seconds)
    calls, took, cpu = count - calls, time.monotonic() - began, time.process_time() - cpu
    for each in callers:
        each.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    print(json.dumps({"calls": calls, "seconds": took, "cpu_us_per_call": cpu / calls * 1e6}))


async def during(callers: List["asyncio.Task[None]"], seconds: float) -> None:
    """Waits; a call that fails ends the program."""
    failed, _ = await asyncio.wait(callers, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for each in failed:
        each.result()
