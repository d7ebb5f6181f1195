#!/usr/bin/env python3
"""Validations that resume (tests/test_resume.c), against a peer that speaks the protocol's bytes and breaks off.

    resuming.py BUILD_FOLDER
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path[:0] = [
    str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "clients" / "python" / "tests"),
    str(REPOSITORY / "clients" / "python" / "src"),
]  # fmt: skip

from certificates import Authority  # noqa: E402
from fake_peer import CREDIT, END, MESSAGE, FakeServer, Peer, Script, block  # noqa: E402
from hito import v1  # noqa: E402

SERVICE = b"hito.v1.CodeValidationService/"
# Of what was asked: the method, the key, the message.
Asked = List[List[bytes]]


async def asked(peer: Peer, calls: Asked) -> int:
    stream, fields, message = await peer.call()
    calls.append([fields[1], fields.get(3, b""), message])
    return stream


async def run(kind: str, tls: ssl.SSLContext, ca_file: str, rounds: List[List[object]]) -> Asked:
    """Plays a connection for each round, whose responses are sent before it breaks off; what was asked."""
    calls: Asked = []

    async def play(peer: Peer) -> None:
        await peer.greet()
        stream = await asked(peer, calls)
        for response in rounds[len(calls) - 1]:
            peer.send(MESSAGE, 0, stream, response.SerializeToString())  # type: ignore[attr-defined]
        await peer.writer.drain()
        if len(calls) == len(rounds):
            await peer.at_end()
        else:
            await asyncio.sleep(0.05)
            peer.kill()

    await program(kind, tls, ca_file, play)
    return calls


async def program(kind: str, tls: ssl.SSLContext, ca_file: str, script: Script) -> None:
    async with FakeServer(tls, script) as server:
        process = await asyncio.create_subprocess_exec(
            sys.argv[1] + "/tests/test_resume", kind,
            env={**os.environ, "HITO_ADDRESS": server.address, "HITO_CA": ca_file},
        )  # fmt: skip
        assert await asyncio.wait_for(process.wait(), 90) == 0, kind


async def validation(tls: ssl.SSLContext, ca_file: str) -> None:
    step = v1.ValidateCodeResponse
    rounds: List[List[object]] = [
        [], [step(run_id="r", cursor="c1", started=True)], [step(run_id="r", cursor="c2", started=True)],
        [step(run_id="r", cursor="c3", result=v1.CodeSnapshot(id="s"))],
    ]  # fmt: skip
    calls = await run("validation", tls, ca_file, rounds)
    assert [method for method, _, _ in calls] == [
        SERVICE + name for name in (b"ValidateCode", b"ValidateCode", b"WatchValidation", b"WatchValidation")
    ]
    assert calls[0][1] and calls[0][1] == calls[1][1], "one key for each attempt to begin"
    watched = [v1.WatchValidationRequest.FromString(message) for _, _, message in calls[2:]]
    assert [(request.run_id, request.cursor) for request in watched] == [("r", "c1"), ("r", "c2")]


async def batch(tls: ssl.SSLContext, ca_file: str) -> None:
    step = v1.ValidateBatchResponse
    rounds: List[List[object]] = [
        [step(index=0, cursor="c1", accepted=v1.ValidationRun()), step(index=0, cursor="c2", finished=v1.ValidationRun())],
        [step(index=1, cursor="c3", refused=v1.SubmissionRefusal(code="x"))],
    ]  # fmt: skip
    calls = await run("batch", tls, ca_file, rounds)
    cursors = [v1.ValidateBatchRequest.FromString(message).cursor for _, _, message in calls]
    assert cursors == ["", "c2"] and calls[0][1] == calls[1][1]


async def revalidation(tls: ssl.SSLContext, ca_file: str) -> None:
    step = v1.RevalidateResponse
    rounds: List[List[object]] = [
        [step(cursor="c1", snapshot=v1.RevalidatedSnapshot(run_id="r"))],
        [step(cursor="c2", summary=v1.RevalidationSummary())],
    ]  # fmt: skip
    calls = await run("revalidation", tls, ca_file, rounds)
    cursors = [v1.RevalidateRequest.FromString(message).cursor for _, _, message in calls]
    assert cursors == ["", "c1"]


async def consumer(tls: ssl.SSLContext, ca_file: str) -> None:
    joins: List[v1.JoinGroup] = []

    async def play(peer: Peer) -> None:
        await peer.greet()
        stream, _, _ = await peer.call()

        async def said() -> v1.ConsumeRequest:
            return v1.ConsumeRequest.FromString((await peer.frame(CREDIT)).payload)

        def say(response: v1.ConsumeResponse) -> None:
            peer.send(MESSAGE, 0, stream, response.SerializeToString())

        joins.append((await said()).join)
        say(v1.ConsumeResponse(joined=v1.JoinedGroup(consumer="made", ack_timeout_us=30_000_000)))
        say(v1.ConsumeResponse(event=v1.Event(id="e1", type="x"), attempt=len(joins)))
        await peer.writer.drain()
        if len(joins) == 1:
            await asyncio.sleep(0.1)
            peer.kill()
            return
        settle = (await said()).settle
        assert list(settle.event_ids) == ["e1"] and settle.action == v1.SettleAction.SETTLE_ACTION_ACK
        say(v1.ConsumeResponse(settled=v1.Settled(event_ids=["e1"])))
        assert (await peer.frame(CREDIT)).kind == END
        peer.send(END, 0, stream, block())
        await peer.at_end()

    await program("consumer", tls, ca_file, play)
    assert [join.consumer for join in joins] == ["", "made"]
    assert joins[0].instance and joins[0].instance == joins[1].instance


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder), "authority")
        files: Dict[str, str] = authority.sign("server", "IP:127.0.0.1")._asdict()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(files["certificate"], files["key"])
        tls.set_alpn_protocols(["hito/1"])
        for play in (validation, batch, revalidation, consumer):
            await play(tls, authority.files.certificate)
    print("resuming: all passed")


asyncio.run(main())
