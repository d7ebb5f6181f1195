"""Ports of this machine for servers that come back on the port that they had.

A port that the system hands out (bind to 0) may be handed to any connection of anybody once its
server is down, and the server then cannot come back. These lie below the range that the system
hands out from; each process of a parallel run has a part of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket
from pathlib import Path
from typing import List

FIRST = 10_000
PARTS = 8


def _own_ports() -> range:
    handed_out = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    size = (int(handed_out[0]) - FIRST) // PARTS
    assert size > 100, f"the system hands out ports from {handed_out[0]} on"
    part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PARTS
    return range(FIRST + part * size, FIRST + (part + 1) * size)


_ports = _own_ports()
# Two runs side by side are unlikely to begin at the same.
_places = itertools.count(random.randrange(len(_ports)))


def lasting_port() -> int:
    """A port that nobody has now, and that the system gives to nobody."""
    for place in itertools.islice(_places, len(_ports)):
        port = _ports[place % len(_ports)]
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no port of {_ports} is free")


def lasting_ports(count: int) -> List[int]:
    return [lasting_port() for _ in range(count)]
