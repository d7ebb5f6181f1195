"""Runs cases side by side, each within its time, and says what became of them."""

from __future__ import annotations

import asyncio
import ssl
import time
import traceback
from typing import Any, Callable, List, NamedTuple, Optional, Protocol

from .cases import Case, Failure, Skipped, TimeFactor
from .tls import Closed

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Outcome(NamedTuple):
    """What became of a case."""

    case: Case
    state: str
    reason: str
    seconds: float


class Test(Protocol):
    """What a case is given."""

    async def finish(self) -> None: ...


MakeTest = Callable[[Case], Test]
Told = Callable[[Outcome], None]


async def run(cases: List[Case], make: MakeTest, jobs: int, told: Told) -> List[Outcome]:
    """Runs so many at a time. Those that mostly wait (a bound above 20 s) begin first, beside the others."""
    places = asyncio.Semaphore(jobs)

    async def one(case: Case) -> Outcome:
        if case.seconds > 20:
            outcome = await _run(case, make)
        else:
            async with places:
                outcome = await _run(case, make)
        told(outcome)
        return outcome

    ordered = sorted(cases, key=lambda case: case.seconds <= 20)
    return list(await asyncio.gather(*(one(case) for case in ordered)))


async def _run(case: Case, make: MakeTest) -> Outcome:
    began = time.monotonic()
    state, reason = PASSED, ""
    test: Optional[Test] = None
    try:
        test = make(case)
        await asyncio.wait_for(case.body(test, *case.arguments), case.seconds * TimeFactor.value)
    except Failure as failure:
        state, reason = FAILED, str(failure)
    except Skipped as skipped:
        state, reason = SKIPPED, str(skipped)
    except Closed as closed:
        state, reason = FAILED, f"the connection ended: {closed.how}"
    except asyncio.TimeoutError:
        state, reason = FAILED, f"did not end within {case.seconds * TimeFactor.value:g} s: {_last(test)}"
    except (OSError, ssl.SSLError) as error:
        state, reason = FAILED, f"{type(error).__name__}: {error}"
    except Exception as error:  # A peer that says what no case expects must not end the run.
        place = traceback.extract_tb(error.__traceback__)[-1]
        state, reason = FAILED, f"{error!r} at {place.name}:{place.lineno}"
    if test is not None:
        try:
            await asyncio.wait_for(test.finish(), 10 * TimeFactor.value)
        except Exception as error:
            state, reason = FAILED, reason or f"at its end: {error!r}"
    return Outcome(case, state, reason, time.monotonic() - began)


def _last(test: Any) -> str:
    """The last frames of the case's connections."""
    peers = getattr(test, "_peers", [])
    heard = [f"{peer.log[-1]}" if peer.log else "nothing" for peer in peers[-3:]]
    return f"the last that came: {', '.join(heard) or 'no connection'}"


