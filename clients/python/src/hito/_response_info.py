"""What a server says of a call beside its messages."""

from __future__ import annotations

from hito._wire import Metadata as Metadata


class ResponseInfo:
    """Given to a call, it has afterwards what the server said beside the answer, also of a call that failed.

        info = hito.ResponseInfo()
        await client.goals.create_goal(request, response_info=info)
        info.trailers
    """

    def __init__(self) -> None:
        self.metadata: Metadata = {}
        """Before the first answer."""
        self.trailers: Metadata = {}
        """With the end of the call."""

    def __repr__(self) -> str:
        return f"ResponseInfo(metadata={dict(self.metadata)!r}, trailers={dict(self.trailers)!r})"
