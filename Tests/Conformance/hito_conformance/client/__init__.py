"""Cases that hold a client to PROTOCOL.md and BEHAVIOUR.md; the runner plays its servers."""

from . import balancing, calls, classic, connecting, hedging, hostile, lasting, minor, repeating
from .test import REGISTRY, Certificates, ClientTest

__all__ = [
    "REGISTRY", "Certificates", "ClientTest", "balancing", "calls", "classic", "connecting",
    "hedging", "hostile", "lasting", "minor", "repeating",
]  # fmt: skip
