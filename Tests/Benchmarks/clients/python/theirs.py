"""theirs.py ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT: grpcio's client for asyncio."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc.aio
from bench_pb2 import CheckRequest, CheckResponse
from measure import measure


async def main() -> None:
    address, ca_file, token_file, seconds, in_flight = sys.argv[1:]
    metadata = (("authorization", "Bearer " + Path(token_file).read_text().strip()),)
    credentials = grpc.ssl_channel_credentials(Path(ca_file).read_bytes())
    async with grpc.aio.secure_channel(address, credentials) as channel:
        # What a generated stub has.
        check = channel.unary_unary(
            "/bench.Health/Check",
            request_serializer=CheckRequest.SerializeToString,
            response_deserializer=CheckResponse.FromString,
        )
        await measure(
            lambda: check(CheckRequest(), timeout=30.0, metadata=metadata), float(seconds), int(in_flight)
        )


asyncio.run(main())
