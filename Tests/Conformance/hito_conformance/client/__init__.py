"""Cases that hold a client to PROTOCOL.md and BEHAVIOUR.md; the runner plays its servers."""

from . import behaviour, calls, classic, hostile
from .test import REGISTRY, Certificates, ClientTest

__all__ = [
    "REGISTRY", "Certificates", "ClientTest", "behaviour", "calls", "classic", "hostile",
]  # fmt: skip
