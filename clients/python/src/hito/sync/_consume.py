"""Consumers of groups for callers that block."""

from __future__ import annotations

from typing import Callable, Optional

from hito._consume import Consumer, Delivery
from hito.sync._stream import Source, SyncStream
from hito.sync._thread import Caller
from hito.v1 import events_pb2


class SyncDelivery:
    """An event in the hands of a consumer, which has to say what becomes of it: `hito.Delivery` for
    callers that block. It may be settled by any thread."""

    def __init__(self, caller: Caller, delivery: Delivery) -> None:
        self._caller = caller
        self._delivery = delivery

    @property
    def event(self) -> events_pb2.Event:
        return self._delivery.event

    @property
    def attempt(self) -> int:
        """From 1."""
        return self._delivery.attempt

    @property
    def is_held(self) -> bool:
        """Whether nothing was heard yet of another consumer having the event."""
        return self._delivery.is_held

    def ack(self) -> bool:
        """Done. False where the consumer does not have the event any more, here as below."""
        return self._caller.run(self._delivery.ack())

    def skip(self) -> bool:
        """Done, though not wanted."""
        return self._caller.run(self._delivery.skip())

    def retry(self, after: Optional[float] = None, reason: str = "") -> bool:
        """Again after `after` seconds; as the group says where that is not given."""
        return self._caller.run(self._delivery.retry(after, reason))

    def park(self, reason: str = "") -> bool:
        """Put aside for a person."""
        return self._caller.run(self._delivery.park(reason))

    def extend(self) -> bool:
        """The time to settle it begins anew."""
        return self._caller.run(self._delivery.extend())


class _Deliveries:
    """The source of a `SyncConsumer`."""

    def __init__(self, caller: Caller, consumer: Consumer) -> None:
        self.consumer = consumer
        self._caller = caller

    async def __anext__(self) -> SyncDelivery:
        return SyncDelivery(self._caller, await self.consumer.__anext__())

    async def aclose(self) -> None:
        await self.consumer.aclose()


class SyncConsumer(SyncStream[SyncDelivery]):
    """An iterator of deliveries, which reconnects by itself: `hito.Consumer` for callers that block.

        with client.events.consume_resuming("mailer") as consumer:
            for delivery in consumer:
                send_mail(delivery.event)
                delivery.ack()
    """

    _source: _Deliveries

    def __init__(self, caller: Caller, make: Callable[[], Consumer]) -> None:
        def open_source() -> Source[SyncDelivery]:
            return _Deliveries(caller, make())

        super().__init__(caller, open_source)

    @property
    def name(self) -> str:
        """Its name in the group."""
        return self._source.consumer.name

    @property
    def interruptions(self) -> int:
        """How often the stream broke and was taken up again."""
        return self._source.consumer.interruptions
