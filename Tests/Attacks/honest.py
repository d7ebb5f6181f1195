"""An honest caller in a process of its own: reads its goal again and again, and searches now and then.

    honest.py ADDRESS CA_FILE TOKEN GOAL_ID

Prints one JSON line when it is ready, works until its standard input ends, and then prints the time of
each call in milliseconds, by kind, and what failed. It measures what a caller of a client library
waits: from the call to its reply. `dial` is a new connection with its first call.

While a call takes long, those that would have followed are not made: each of them is counted as `missed`,
with the time that it would have waited (coordinated omission, Tene 2013). Otherwise a server that stands
still for two seconds would be one slow call among hundreds.
"""

from __future__ import annotations

import json
import select
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple

from raw_peer import RawPeer

from hito import v1

GET_GOAL = "hito.v1.GoalService/GetGoal"
SEARCH = "hito.v1.RetrievalService/Search"
PAUSE_SECONDS = 0.01
TURNS_PER_SEARCH = 20
TURNS_PER_DIAL = 50
CALL_SECONDS = 10.0
INTERVAL_MS = 15.0
"""About what passes between the beginnings of two calls where nobody attacks."""


class Place(NamedTuple):
    """Where the server is, as far as RawPeer wants to know."""

    address: str
    ca_file: str


class Honest:
    def __init__(self, place: Place, token: str, goal_id: str) -> None:
        self._place = place
        self._token = token
        self._goal = v1.GetGoalRequest(goal_id=goal_id).SerializeToString()
        self._query = v1.SearchRequest(query="aprender a escribir pruebas").SerializeToString()
        self._peer = self._dial()
        self._stream = -1
        self.times = self._no_times()
        self.failures: List[str] = []

    @staticmethod
    def _no_times() -> Dict[str, List[float]]:
        return {"read": [], "search": [], "dial": [], "missed": []}

    def begin(self) -> None:
        """What was done so far was to warm up."""
        self.times = self._no_times()

    def _dial(self) -> RawPeer:
        return RawPeer(self._place, self._token, seconds=CALL_SECONDS)  # type: ignore[arg-type]

    def turn(self, number: int) -> None:
        """One read; in some turns also a search or a new connection."""
        self._measured("read", lambda: self._call(GET_GOAL, self._goal))
        if number % TURNS_PER_SEARCH == 0:
            self._measured("search", lambda: self._call(SEARCH, self._query))
        if number % TURNS_PER_DIAL == 0:
            self._measured("dial", self._visit)

    def _call(self, path: str, message: bytes) -> None:
        self._stream += 2
        self._peer.call(self._stream, path, message)
        ended = self._peer.end(self._stream)
        if ended.status != 0:
            raise AssertionError(f"{path}: {ended.status} {ended.text}")

    def _visit(self) -> None:
        with self._dial() as peer:
            peer.call(1, GET_GOAL, self._goal)
            ended = peer.end(1)
            if ended.status != 0:
                raise AssertionError(f"a new connection: {ended.status} {ended.text}")

    def _dial_again(self) -> None:
        self._peer.close()
        try:
            self._peer, self._stream = self._dial(), -1
        except (OSError, EOFError, AssertionError) as error:
            # The next call on the closed one brings us here again.
            self.failures.append(f"dial: {type(error).__name__} {error}"[:300])

    def _measured(self, kind: str, work: Callable[[], None]) -> None:
        began = time.perf_counter()
        try:
            work()
        except (OSError, EOFError, AssertionError) as error:
            self.failures.append(f"{kind}: {type(error).__name__} {error}"[:300])
            if not isinstance(error, AssertionError):
                self._dial_again()
            return
        waited = (time.perf_counter() - began) * 1000
        self.times[kind].append(waited)
        while (waited := waited - INTERVAL_MS) > 0:
            self.times["missed"].append(waited)


def main(address: str, ca_file: str, token: str, goal_id: str) -> None:
    honest = Honest(Place(address, ca_file), token, goal_id)
    honest.turn(0)
    honest.begin()
    print(json.dumps({"ready": not honest.failures, "failures": honest.failures}), flush=True)
    number = 0
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        honest.turn(number)
        number += 1
    print(json.dumps({"times": honest.times, "failures": honest.failures}), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(*sys.argv[1:])
