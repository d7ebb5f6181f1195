"""Consumers of groups that outlive connections and servers."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import AsyncIterator, Callable, Dict, Optional, Sequence, Union

from hito._resume import Rest, passes
from hito._retry import Backoff
from hito._stream import ResponseStream
from hito._wait import EndableWait
from hito.errors import AlreadyExists, CancelledCall, HitoError, Unavailable
from hito.v1 import errors_pb2, events_pb2

Open = Callable[
    [AsyncIterator[events_pb2.ConsumeRequest]], ResponseStream[events_pb2.ConsumeResponse]
]


class Delivery:
    """An event in the hands of a consumer, which has to say what becomes of it.

    Each of `ack`, `retry`, `park`, `skip` and `extend` returns True once the server has it on disk, and
    False where the consumer does not have the event any more: it was not settled in time, or the
    connection broke, and the event comes again, to this or another consumer.
    """

    def __init__(
        self, consumer: "Consumer", session: "_Session", response: events_pb2.ConsumeResponse
    ) -> None:
        self.event = response.event
        self.attempt = response.attempt
        """From 1."""
        self.settle_by = response.settle_by
        self._consumer = consumer
        self._session = session
        self._extending: Optional[asyncio.Task[None]] = None

    @property
    def is_held(self) -> bool:
        """Whether nothing was heard yet of another consumer having the event. Where it is False, work
        on it should end."""
        return self._session.is_open and self._session.held.get(self.event.id) is self

    async def ack(self) -> bool:
        """Done."""
        return await self._settle(events_pb2.SETTLE_ACTION_ACK)

    async def skip(self) -> bool:
        """Done, though not wanted."""
        return await self._settle(events_pb2.SETTLE_ACTION_SKIP)

    async def retry(self, after: Optional[float] = None, reason: str = "") -> bool:
        """Again after `after` seconds; as the group says where that is not given."""
        delay = 0 if after is None else max(1, int(after * 1_000_000))
        return await self._settle(events_pb2.SETTLE_ACTION_RETRY, reason, delay)

    async def park(self, reason: str = "") -> bool:
        """Put aside for a person."""
        return await self._settle(events_pb2.SETTLE_ACTION_PARK, reason)

    async def extend(self) -> bool:
        """The time to settle it begins anew."""
        return self.is_held and await self._session.settle(
            self.event.id, events_pb2.SETTLE_ACTION_EXTEND, "", 0
        )

    async def _settle(
        self, action: events_pb2.SettleAction, reason: str = "", delay: int = 0
    ) -> bool:
        self._stop_extending()
        return self.is_held and await self._session.settle(
            self.event.id, action, reason, delay
        )

    def _keep(self, interval: float) -> None:
        """Extends it again and again, until it is settled."""
        self._extending = asyncio.create_task(self._extend_for_ever(interval), name="hito extend")

    async def _extend_for_ever(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            if not await self.extend():
                return

    def _stop_extending(self) -> None:
        if self._extending is not None:
            self._extending.cancel()


class _Session:
    """One connection of a consumer: what it holds, and what it waits to hear."""

    def __init__(self, join: events_pb2.JoinGroup) -> None:
        self.held: Dict[str, Delivery] = {}
        self.is_open = True
        self._outgoing: asyncio.Queue[Optional[events_pb2.ConsumeRequest]] = asyncio.Queue()
        self._answers: Dict[str, list[asyncio.Future[bool]]] = {}
        self._outgoing.put_nowait(events_pb2.ConsumeRequest(join=join))

    async def requests(self) -> AsyncIterator[events_pb2.ConsumeRequest]:
        while (request := await self._outgoing.get()) is not None:
            yield request

    async def settle(
        self, event_id: str, action: events_pb2.SettleAction, reason: str, delay: int
    ) -> bool:
        if not self.is_open or event_id not in self.held:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._answers.setdefault(event_id, []).append(answer)
        settle = events_pb2.Settle(
            event_ids=[event_id],
            action=action,
            reason=reason,
            retry_after_us=delay,
        )
        self._outgoing.put_nowait(events_pb2.ConsumeRequest(settle=settle))
        settled = await answer
        if not settled or action != events_pb2.SETTLE_ACTION_EXTEND:
            self.held.pop(event_id, None)
        return settled

    def heard(self, settled: events_pb2.Settled) -> None:
        for ids, outcome in ((settled.event_ids, True), (settled.not_held, False)):
            self._answer(ids, outcome)

    def _answer(self, ids: Sequence[str], outcome: bool) -> None:
        for event_id in ids:
            waiting = self._answers.get(event_id)
            if waiting:
                answer = waiting.pop(0)
                if not answer.done():
                    answer.set_result(outcome)
                if not waiting:
                    del self._answers[event_id]

    def half_close(self) -> None:
        self._outgoing.put_nowait(None)

    def end(self) -> None:
        """The connection is gone, and with it everything that it held."""
        self.is_open = False
        for delivery in self.held.values():
            delivery._stop_extending()
        self.held.clear()
        for event_id in list(self._answers):
            while event_id in self._answers:
                self._answer([event_id], False)
        self._outgoing.put_nowait(None)


class Consumer:
    """An async iterator of `Delivery`: a consumer of a group, which reconnects by itself.

        async with client.events.consume_resuming("mailer") as consumer:
            async for delivery in consumer:
                await send_mail(delivery.event)
                await delivery.ack()

    Every event comes at least once. After a broken connection what was not settled comes again; work on
    it should check `is_held`. Iterate in one task; settle in any. It ends by the caller only (`aclose`),
    or by an error that trying again would not mend.
    """

    def __init__(
        self,
        open_stream: Open,
        join: events_pb2.JoinGroup,
        rest: Rest,
        auto_extend: bool,
        on_interruption: Optional[Callable[[HitoError], None]],
    ) -> None:
        self._open_stream = open_stream
        self._join = events_pb2.JoinGroup()
        self._join.CopyFrom(join)
        self._join.instance = self._join.instance or uuid.uuid4().hex
        self._rest = rest
        self._auto_extend = auto_extend
        self._on_interruption = on_interruption
        self._backoff = Backoff()
        self._wait = EndableWait()
        self._resting = EndableWait()
        self._session: Optional[_Session] = None
        self._stream: Optional[ResponseStream[events_pb2.ConsumeResponse]] = None
        self._reader: Optional[asyncio.Task[None]] = None
        self._arrived: asyncio.Queue[Union[Delivery, BaseException]] = asyncio.Queue()
        self._ack_timeout = 30.0
        self._is_renewed = False
        self.name = self._join.consumer
        """Its name in the group; known from the first delivery on, where the server makes one."""
        self.interruptions = 0
        """How often the stream broke and was taken up again."""

    def __aiter__(self) -> "Consumer":
        return self

    async def __aenter__(self) -> "Consumer":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def __anext__(self) -> Delivery:
        if self._reader is None and not self._wait.is_ended:
            # Answers have to be heard while nobody asks for the next event.
            self._reader = asyncio.create_task(self._read(), name="hito consume")
        while not self._wait.is_ended:
            try:
                arrived = await self._wait.until(self._arrived.get())
            except CancelledCall:
                break
            if isinstance(arrived, BaseException):
                await self.aclose()
                raise arrived
            if arrived.is_held:
                return arrived
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Gives back what is not settled, and ends."""
        self._wait.end()
        self._resting.end()
        if self._session is not None:
            self._session.half_close()
        if self._reader is not None:
            # The server ends the stream once it has answered everything.
            await asyncio.wait({self._reader}, timeout=5)
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._stream is not None:
            await self._stream.aclose()
        if self._session is not None:
            self._session.end()

    async def _read(self) -> None:
        while not self._wait.is_ended:
            try:
                await self._read_one_stream()
                error: HitoError = Unavailable("the server ended the stream")
            except HitoError as failure:
                error = failure
                if not (passes(error) or self._may_join_later(error) or self._may_renew_token()):
                    self._arrived.put_nowait(error)
                    return
            except Exception as failure:
                self._arrived.put_nowait(failure)
                return
            if not self._wait.is_ended:
                await self._interrupted(error)

    async def _read_one_stream(self) -> None:
        session = _Session(self._join)
        self._session = session
        self._stream = self._open_stream(session.requests())
        async for response in self._stream:
            delivery = self._received(response, session)
            if delivery is not None:
                self._arrived.put_nowait(delivery)

    def _received(
        self, response: events_pb2.ConsumeResponse, session: _Session
    ) -> Optional[Delivery]:
        self._backoff.reset()
        self._is_renewed = False
        if response.HasField("joined"):
            # After a broken connection it comes again under the name that it had.
            self.name = self._join.consumer = response.joined.consumer
            self._ack_timeout = response.joined.ack_timeout_us / 1_000_000
        if response.HasField("settled"):
            session.heard(response.settled)
        if not response.HasField("event"):
            return None
        delivery = Delivery(self, session, response)
        session.held[delivery.event.id] = delivery
        if self._auto_extend:
            delivery._keep(self._ack_timeout / 3)
        return delivery

    def _may_renew_token(self) -> bool:
        """The server refused the token: once after a response another one is tried."""
        may_renew = self._stream is not None and self._stream.is_token_refused
        was_renewed, self._is_renewed = self._is_renewed, may_renew
        return may_renew and not was_renewed

    def _may_join_later(self, error: HitoError) -> bool:
        """The name is still that of this consumer's last connection, or of a process that died."""
        return (
            isinstance(error, AlreadyExists)
            and error.details.reason == errors_pb2.ERROR_REASON_CONSUMER_NAME_TAKEN
            and self.interruptions > 0
        )

    async def _interrupted(self, error: HitoError) -> None:
        if self._session is not None:
            self._session.end()
        self._session, self._stream = None, None
        self.interruptions += 1
        if self._on_interruption is not None:
            self._on_interruption(error)
        with contextlib.suppress(CancelledCall):
            await self._resting.until(self._rest(self._backoff.next(error.retry_delay), error))
