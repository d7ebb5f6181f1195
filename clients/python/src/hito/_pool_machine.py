"""Chooses the connection of a call, and says when which address is dialled (clients/BEHAVIOUR.md, C1).

Pure: it neither dials nor waits, and time and chance are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

from hito._retry import backoff

HOLD_UP = 0.25
"""Seconds for which an address that says nothing holds up the next one."""
STEADY_AFTER = 5.0
"""A connection that lasted so long was none of a server that falls over at once."""


class Use(NamedTuple):
    """The call goes to this connection; its place is taken, and given back by `call_ended`."""

    number: int


class Wait(NamedTuple):
    """Ask again when something has changed, at the latest then."""

    until: Optional[float]


class Fail(NamedTuple):
    """No server can be reached."""


Step = Union[Use, Wait, Fail]


@dataclass
class Want:
    """What a call wants."""

    waits: bool
    """Whether it waits where no server can be reached."""
    turn: Optional[int] = None
    """Its place in the round."""


@dataclass
class _Connection:
    number: int
    calls_max: int
    since: float
    calls: int = 0
    has_served: bool = False

    @property
    def has_room(self) -> bool:
        return self.calls < self.calls_max


@dataclass
class _Address:
    connections: List[_Connection] = field(default_factory=list)
    dialling_since: Optional[float] = None
    rests_until: Optional[float] = None
    failures: int = 0
    """In a row."""
    is_unreachable: bool = False
    """Whether the last attempt found no server."""
    is_untrusted: bool = False
    """Whether it showed a certificate that is not trusted."""
    is_not_serving: bool = False
    """Whether it says of itself that it does not serve."""

    def is_resting(self, now: float) -> bool:
        return self.rests_until is not None and now < self.rests_until

    def with_room(self) -> Optional[_Connection]:
        return next((c for c in self.connections if c.has_room), None)


class PoolMachine:
    """The addresses of a client, and its connections to them."""

    def __init__(self, addresses: int, *, in_turn: bool = False, connections_max: int = 4) -> None:
        self._addresses = [_Address() for _ in range(max(1, addresses))]
        self._in_turn = in_turn
        self._connections_max = connections_max
        self._preferred = 0
        self._turn = 0
        self._to_dial: List[int] = []

    # Calls

    def place(self, want: Want, now: float) -> Step:
        """Where a call goes; the addresses of `take_dials` are to be dialled after it."""
        order = self._order(want)
        for not_serving in (False, True):
            group = [a for a in order if self._addresses[a].is_not_serving == not_serving]
            step = self._next(group, now) if self._in_turn else self._first(group, now)
            if step is not None:
                return step
        return self._unreachable(want)

    def place_beside(self, used: Sequence[int]) -> Optional[int]:
        """A connection for a copy of a call that has those; None where none has room.

        To another address if there is one, else another connection, else the same. Nothing is
        dialled for it.
        """
        best: Optional[Tuple[int, _Connection]] = None
        for address in self._addresses:
            if address.is_not_serving:
                continue
            is_used = any(c.number in used for c in address.connections)
            for connection in address.connections:
                rank = 0 if not is_used else 2 if connection.number in used else 1
                if connection.has_room and (best is None or rank < best[0]):
                    best = rank, connection
        return None if best is None else _take(best[1]).number

    def take(self, number: int) -> bool:
        """Takes a place on one connection, if it has one."""
        found = self._find(number)
        if found is None or not found[1].has_room:
            return False
        _take(found[1])
        return True

    def call_ended(self, number: int) -> None:
        if (found := self._find(number)) is not None:
            found[1].calls -= 1

    def served(self, number: int) -> None:
        """The server has answered a call there."""
        if (found := self._find(number)) is not None:
            found[1].has_served = True
            found[0].failures = 0

    def take_dials(self) -> List[int]:
        """What is to be dialled, once."""
        dials, self._to_dial = self._to_dial, []
        return dials

    # Connections

    def dialled(self, place: int, number: int, calls_max: int, now: float) -> bool:
        """A server has answered; False where it is not wanted, as another one was faster."""
        address = self._addresses[place]
        address.dialling_since = address.rests_until = None
        address.is_unreachable = address.is_untrusted = False
        is_overtaken = any(
            other is not address and other.connections and not other.is_not_serving
            for other in self._addresses
        )
        if not self._in_turn and is_overtaken and not address.connections:
            return False
        address.connections.append(_Connection(number, calls_max, now))
        return True

    def dial_failed(self, place: int, untrusted: bool, now: float, chance: float) -> None:
        address = self._addresses[place]
        address.dialling_since = None
        address.is_unreachable = True
        address.is_untrusted = untrusted
        _rest(address, now, chance)

    def retired(self, number: int, now: float, chance: float) -> None:
        """A connection takes no more calls."""
        found = self._find(number)
        if found is None:
            return
        address, connection = found
        address.connections.remove(connection)
        if not address.connections:
            address.is_not_serving = False
        # A server that takes connections and drops them must not be stormed with them.
        if connection.has_served or connection.since + STEADY_AFTER <= now:
            address.failures = 0
        else:
            _rest(address, now, chance)

    def says(self, place: int, serving: bool) -> None:
        """What the server at an address says of itself."""
        address = self._addresses[place]
        address.is_not_serving = not serving and bool(address.connections)

    def connections(self, place: int) -> List[int]:
        """Those to an address that take calls."""
        return [connection.number for connection in self._addresses[place].connections]

    # Choosing

    def _order(self, want: Want) -> List[int]:
        count = len(self._addresses)
        first = self._preferred
        if self._in_turn:
            if want.turn is None:
                want.turn = self._turn
                self._turn = (self._turn + 1) % count
            first = want.turn
        return [(place + first) % count for place in range(count)]

    def _first(self, group: List[int], now: float) -> Optional[Step]:
        """The first server that answers, and as long as it does."""
        live = next((a for a in group if self._addresses[a].connections), None)
        if live is not None:
            self._preferred = live
            connection = self._addresses[live].with_room()
            if connection is not None:
                return Use(_take(connection).number)
            return Wait(self._dial_more(live, now))
        for place in group:
            address = self._addresses[place]
            if address.dialling_since is not None:
                if now < address.dialling_since + HOLD_UP:
                    return Wait(address.dialling_since + HOLD_UP)
            elif not address.is_resting(now):
                self._dial(place, now)
                return Wait(now + HOLD_UP)
        return None

    def _next(self, group: List[int], now: float) -> Optional[Step]:
        """One server after the other. Those that do not answer are dialled beside."""
        for place in group:
            address = self._addresses[place]
            if not address.connections and address.dialling_since is None:
                if not address.is_resting(now):
                    self._dial(place, now)
        for place in group:
            address = self._addresses[place]
            connection = address.with_room()
            if connection is not None:
                return Use(_take(connection).number)
            since = address.dialling_since
            if not address.connections and not address.is_unreachable and since is not None:
                if now < since + HOLD_UP:
                    return Wait(since + HOLD_UP)
        full = [place for place in group if self._addresses[place].connections]
        if not full:
            return None
        times = [time for place in full if (time := self._dial_more(place, now)) is not None]
        return Wait(min(times, default=None))

    def _dial_more(self, place: int, now: float) -> Optional[float]:
        """Another connection to an address whose connections are full, where it may have one;
        otherwise when to look again."""
        address = self._addresses[place]
        is_most = len(address.connections) >= self._connections_max
        if is_most or address.dialling_since is not None:
            return None
        if address.is_resting(now):
            return address.rests_until
        self._dial(place, now)
        return None

    def _unreachable(self, want: Want) -> Step:
        # A connection that was lost is made again by the call; a server that was not found is not
        # waited for unless that is asked for.
        is_to_come = any(
            address.dialling_since is not None
            or not address.is_unreachable
            or (want.waits and not address.is_untrusted)
            for address in self._addresses
        )
        if not is_to_come:
            return Fail()
        resting = [a.rests_until for a in self._addresses if a.dialling_since is None]
        return Wait(min((time for time in resting if time is not None), default=None))

    def _dial(self, place: int, now: float) -> None:
        self._addresses[place].dialling_since = now
        self._to_dial.append(place)

    def _find(self, number: int) -> Optional[Tuple[_Address, _Connection]]:
        for address in self._addresses:
            for connection in address.connections:
                if connection.number == number:
                    return address, connection
        return None


def _take(connection: _Connection) -> _Connection:
    connection.calls += 1
    return connection


def _rest(address: _Address, now: float, chance: float) -> None:
    address.rests_until = now + backoff(address.failures, chance)
    address.failures += 1
