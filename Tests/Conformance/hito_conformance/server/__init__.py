"""Cases that hold a server to PROTOCOL.md; the runner plays its clients."""

from . import calls, classic, connection, credit, drain, frames, minor
from .test import REGISTRY, Drain, ServerTest, Target

__all__ = ["REGISTRY", "Drain", "ServerTest", "Target", "calls", "classic", "connection", "credit", "drain", "frames",
           "minor"]
