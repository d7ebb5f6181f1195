"""Cases that hold a client to PROTOCOL.md and BEHAVIOUR.md; the runner plays its servers."""

from . import calls, classic, connecting, hostile, lasting, minor, repeating
from .test import REGISTRY, Certificates, ClientTest

__all__ = [
    "REGISTRY", "Certificates", "ClientTest", "calls", "classic", "connecting", "hostile",
    "lasting", "minor", "repeating",
]  # fmt: skip
