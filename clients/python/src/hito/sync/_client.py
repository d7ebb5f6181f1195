"""The client for callers that block."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Sequence, Union

from hito.client import Client
from hito.sync._channel import SyncChannel
from hito.sync._services import SyncCodeValidationClient, SyncEventClient, SyncProgressClient
from hito.sync._thread import Caller, LoopThread
from hito.v1 import (
    SyncAnalyticsServiceClient,
    SyncCourseServiceClient,
    SyncGoalServiceClient,
    SyncHealthServiceClient,
    SyncPrivacyServiceClient,
    SyncReflectionServiceClient,
    SyncRetrievalServiceClient,
    SyncServerServiceClient,
    SyncTaskServiceClient,
    SyncUserServiceClient,
)

if TYPE_CHECKING:
    from typing import Unpack

    from hito._options import ClientOptions


class SyncClient:
    """A client of one Hito deployment whose calls block. Any number of threads may use it; `with` closes it.

    Connections live in a thread of its own, with an event loop of its own: it works where a loop runs already,
    as in Jupyter. Interceptors, log functions and what is told of interruptions run in that thread,
    and must not make blocking calls of the same client.
    """

    def __init__(self, caller: Caller, client: Client) -> None:
        self._caller = caller
        self._channel = SyncChannel(caller, client._channel)

    @classmethod
    def connect(
        cls, address: Union[str, Sequence[str]], **options: "Unpack[ClientOptions]"
    ) -> "SyncClient":
        """Connects to `host:port`, or to any of several; the keywords are those of
        `hito.Client.connect`.

        Raises `Unavailable` when no server answers.
        """
        thread = LoopThread()
        try:
            client = thread.run(Client.connect(address, **options))
            return cls(Caller(thread, client.close), client)
        except BaseException:
            thread.close(_nothing)
            raise

    def close(self) -> None:
        """Cancels the calls under way, closes the connections and ends the thread."""
        self._caller.close()

    def __enter__(self) -> "SyncClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def users(self) -> SyncUserServiceClient:
        return SyncUserServiceClient(self._channel)

    @cached_property
    def courses(self) -> SyncCourseServiceClient:
        return SyncCourseServiceClient(self._channel)

    @cached_property
    def goals(self) -> SyncGoalServiceClient:
        return SyncGoalServiceClient(self._channel)

    @cached_property
    def tasks(self) -> SyncTaskServiceClient:
        return SyncTaskServiceClient(self._channel)

    @cached_property
    def progress(self) -> SyncProgressClient:
        return SyncProgressClient(self._channel)

    @cached_property
    def events(self) -> SyncEventClient:
        return SyncEventClient(self._channel)

    @cached_property
    def analytics(self) -> SyncAnalyticsServiceClient:
        return SyncAnalyticsServiceClient(self._channel)

    @cached_property
    def code_validation(self) -> SyncCodeValidationClient:
        return SyncCodeValidationClient(self._channel)

    @cached_property
    def retrieval(self) -> SyncRetrievalServiceClient:
        return SyncRetrievalServiceClient(self._channel)

    @cached_property
    def health(self) -> SyncHealthServiceClient:
        return SyncHealthServiceClient(self._channel)

    @cached_property
    def reflection(self) -> SyncReflectionServiceClient:
        return SyncReflectionServiceClient(self._channel)

    @cached_property
    def server(self) -> SyncServerServiceClient:
        return SyncServerServiceClient(self._channel)

    @cached_property
    def privacy(self) -> SyncPrivacyServiceClient:
        return SyncPrivacyServiceClient(self._channel)


async def _nothing() -> None:
    pass
