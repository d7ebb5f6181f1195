"""ours.py ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT: Hito's client for asyncio."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from measure import measure

import hito
from hito import v1


async def main() -> None:
    address, ca_file, token_file, seconds, in_flight = sys.argv[1:]
    token = Path(token_file).read_text().strip()
    async with await hito.Client.connect(address, ca_file=ca_file, token=token) as client:
        await measure(
            lambda: client.health.check(v1.HealthCheckRequest(), timeout=30.0),
            float(seconds), int(in_flight),
        )  # fmt: skip


asyncio.run(main())
