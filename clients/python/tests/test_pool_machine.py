"""Where calls go and what is dialled when, on a clock of the test's own (clients/BEHAVIOUR.md, C1)."""

from __future__ import annotations

from typing import List, Optional

import pytest

from hito._pool_machine import Fail, PoolMachine, Step, Use, Wait, Want
from hito._retry import Repeats, RetryPacer
from hito.errors import Unavailable
from hito.v1 import errors_pb2


class Pool:
    """A pool of which a test says what becomes of it."""

    def __init__(self, addresses: int, in_turn: bool = False, connections_max: int = 4) -> None:
        self.machine = PoolMachine(addresses, in_turn=in_turn, connections_max=connections_max)
        self.now = 0.0
        self._last = 0

    def place(self, waits: bool = False) -> Step:
        return self.machine.place(Want(waits), self.now)

    def answer(self, address: int, calls_max: int = 100) -> Optional[int]:
        self._last += 1
        wanted = self.machine.dialled(address, self._last, calls_max, self.now)
        return self._last if wanted else None

    def refuse(self, address: int, untrusted: bool = False) -> None:
        self.machine.dial_failed(address, untrusted, self.now, 1.0)

    def connect(self, calls_max: int = 100) -> List[int]:
        """Dials what a call wants and has all answer."""
        self.place()
        numbers = [self.answer(place, calls_max) for place in self.machine.take_dials()]
        return [number for number in numbers if number is not None]

    def lose(self, number: int) -> None:
        self.machine.retired(number, self.now, 1.0)


def test_the_first_that_answers_is_used_and_kept():
    pool = Pool(3)
    assert pool.place() == Wait(0.25) and pool.machine.take_dials() == [0]
    pool.place()
    assert pool.machine.take_dials() == [], "one attempt for all that wait"
    pool.refuse(0)
    pool.place()
    assert pool.machine.take_dials() == [1]
    number = pool.answer(1)
    assert [pool.place() for _ in range(5)] == [Use(number)] * 5
    assert pool.machine.take_dials() == []


def test_one_that_says_nothing_holds_up_the_next_for_a_quarter_of_a_second():
    pool = Pool(2)
    pool.place()
    assert pool.machine.take_dials() == [0]
    pool.now = 0.24
    pool.place()
    assert pool.machine.take_dials() == []
    pool.now = 0.25
    pool.place()
    assert pool.machine.take_dials() == [1]
    fast = pool.answer(1)
    assert pool.place() == Use(fast)
    assert pool.answer(0) is None, "the slow one is not needed any more"


def test_where_none_answers_a_call_fails_or_waits_for_the_next_attempt():
    pool = Pool(2)
    for place in (0, 1):
        pool.place()
        assert pool.machine.take_dials() == [place]
        pool.refuse(place)
    assert pool.place() == Fail()
    assert pool.place(waits=True) == Wait(0.05)
    pool.now = 0.05
    assert pool.place() != Fail() and pool.machine.take_dials() == [0]


@pytest.mark.parametrize("drops", [False, True], ids=["refuses", "drops connections"])
def test_attempts_at_an_address_come_more_and_more_slowly(drops):
    pool = Pool(1)
    waits = []
    for _ in range(9):
        if drops:
            [number] = pool.connect()
            pool.lose(number)
        else:
            pool.place(waits=True)
            assert pool.machine.take_dials() == [0]
            pool.refuse(0)
        # A server that can be reached is waited for also by who does not wait for servers.
        step = pool.place(waits=not drops)
        assert isinstance(step, Wait) and step.until is not None
        assert pool.machine.take_dials() == []
        waits.append(step.until - pool.now)
        pool.now = step.until
    assert waits == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    [number] = pool.connect()
    pool.machine.served(number)
    pool.lose(number)
    pool.place()
    assert pool.machine.take_dials() == [0], "one that has answered is made again at once"


def test_a_certificate_that_is_not_trusted_is_not_waited_for():
    pool = Pool(1)
    pool.place(waits=True)
    pool.refuse(0, untrusted=True)
    assert pool.place(waits=True) == Fail()


def test_a_call_without_room_opens_a_connection_up_to_their_maximum_and_waits_then():
    pool = Pool(2, connections_max=2)
    [first] = pool.connect(calls_max=1)
    assert pool.place() == Use(first)
    assert pool.place() == Wait(None) and pool.machine.take_dials() == [0]
    pool.place()
    assert pool.machine.take_dials() == [], "one at a time"
    second = pool.answer(0, calls_max=1)
    assert pool.place() == Use(second)
    assert pool.place() == Wait(None)
    assert pool.machine.take_dials() == [], "neither a third nor another server"
    pool.machine.call_ended(first)
    assert pool.place() == Use(first)


def test_in_turn_calls_go_past_those_that_do_not_answer():
    pool = Pool(3, in_turn=True)
    pool.place()
    assert pool.machine.take_dials() == [0, 1, 2]
    one, three = pool.answer(0), pool.answer(2)
    pool.refuse(1)
    used = [pool.place() for _ in range(6)]
    assert set(used) == {Use(one), Use(three)} and used.count(Use(one)) >= 2
    pool.now = 0.05
    pool.place()
    assert pool.machine.take_dials() == [1], "it is tried again beside"


def test_a_server_that_does_not_serve_gets_no_new_calls_while_others_do():
    pool = Pool(2)
    [sick] = pool.connect()
    pool.machine.says(0, False)
    pool.place()
    assert pool.machine.take_dials() == [1]
    well = pool.answer(1)
    assert pool.place() == Use(well)
    pool.machine.says(0, True)
    assert pool.place() == Use(well), "it is kept for as long as it does"
    pool.machine.says(1, False)
    assert pool.place() == Use(sick)
    pool.machine.says(0, False)
    assert isinstance(pool.place(), Use), "where none serves they say so themselves"


def test_a_copy_goes_to_another_server_else_another_connection_else_the_same():
    pool = Pool(2, in_turn=True)
    pool.place()
    one, other = [pool.answer(place) for place in pool.machine.take_dials()]
    assert one is not None and other is not None
    assert pool.machine.place_beside([one]) == other
    pool.lose(other)
    assert pool.machine.place_beside([one]) == one
    another = pool.answer(0)
    assert pool.machine.place_beside([one]) == another
    assert pool.machine.take_dials() == [], "nothing is dialled for it"


def unavailable(**details: int) -> Unavailable:
    return Unavailable("gone", details=errors_pb2.ErrorDetails(**details).SerializeToString())


def test_a_call_is_repeated_within_its_time_and_the_budget_of_all():
    pacer = RetryPacer(burst=2, per_second=1.0)
    first = Repeats(pacer, deadline=10.0)
    assert 0.025 <= first.delay(unavailable(), True, 0.0) <= 0.05
    assert first.delay(unavailable(retry_delay_us=2_000_000), True, 0.0) == 2.0
    assert first.delay(unavailable(), True, 0.0) >= 1.0, "two at once, then one a second"
    with pytest.raises(Unavailable):
        Repeats(pacer, deadline=1.5).delay(unavailable(), True, 0.0)
    with pytest.raises(Unavailable):
        first.delay(unavailable(), False, 0.0)


def test_a_stream_without_a_deadline_is_repeated_for_a_while_after_its_first_failure():
    repeats = Repeats(RetryPacer(), None, repeat_time=30.0)
    repeats.delay(unavailable(), True, 600.0)
    repeats.delay(unavailable(), True, 629.0)
    with pytest.raises(Unavailable):
        repeats.delay(unavailable(), True, 630.0)


def test_copies_are_made_from_the_same_budget():
    pacer = RetryPacer(burst=2, per_second=10)
    assert [pacer.take_now(5.0) for _ in range(3)] == [True, True, False]
    assert pacer.take_now(5.1) and not pacer.take_now(5.1)
    assert pacer.delay(5.1) == pytest.approx(0.1)
