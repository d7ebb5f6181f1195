"""Makes calls for callers that block: what the generated stubs stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Type, TypeVar

from google.protobuf.message import Message

from hito._channel import Channel
from hito._method import Method
from hito._threads import Pulled
from hito.sync._stream import SyncResponseStream
from hito.sync._thread import Caller

if TYPE_CHECKING:
    from typing import Unpack

    from hito._options import KeyedReplyOptions, KeyedStreamOptions, StreamOptions, UnaryOptions

Response = TypeVar("Response", bound=Message)


class SyncChannel:
    """A `Channel` in another thread. Used by any thread but that one."""

    def __init__(self, caller: Caller, channel: Channel) -> None:
        self.caller = caller
        self.channel = channel

    def unary(
        self,
        method: Method,
        request: Message,
        response_type: Type[Response],
        **options: "Unpack[UnaryOptions]",
    ) -> Response:
        """One request, one answer."""
        return self.caller.run(self.channel.unary(method, request, response_type, **options))

    def server_stream(
        self,
        method: Method,
        request: Message,
        response_type: Type[Response],
        **options: "Unpack[KeyedStreamOptions]",
    ) -> SyncResponseStream[Response]:
        """One request, many answers. The call begins with the first `next`."""
        return SyncResponseStream(
            self.caller,
            lambda: self.channel.server_stream(method, request, response_type, **options),
        )

    def client_stream(
        self,
        method: Method,
        requests: Iterable[Message],
        response_type: Type[Response],
        **options: "Unpack[KeyedReplyOptions]",
    ) -> Response:
        """Many requests, one answer. The requests are iterated in a thread of their own."""

        async def call() -> Response:
            return await self.channel.client_stream(
                method, Pulled(requests), response_type, **options
            )

        return self.caller.run(call())

    def bidi_stream(
        self,
        method: Method,
        requests: Iterable[Message],
        response_type: Type[Response],
        **options: "Unpack[StreamOptions]",
    ) -> SyncResponseStream[Response]:
        """Requests and answers, each at their own pace. The call begins with the first `next`; the requests
        are iterated in a thread of their own."""
        return SyncResponseStream(
            self.caller,
            lambda: self.channel.bidi_stream(method, Pulled(requests), response_type, **options),
        )
