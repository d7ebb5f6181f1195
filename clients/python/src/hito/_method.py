"""What the generated stubs say about a method."""

from __future__ import annotations

from typing import Literal, NamedTuple

MethodKind = Literal["unary", "server_stream", "client_stream", "bidi"]


class Method(NamedTuple):
    """A method of the contract."""

    path: str
    """For example `hito.v1.GoalService/CreateGoal`."""
    kind: MethodKind
    read_only: bool
    """It changes nothing, so a client may repeat it at will."""
