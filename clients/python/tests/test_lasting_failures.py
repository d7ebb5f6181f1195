"""What does not pass by waiting is said at once; what the caller repeats, it repeats by its key."""

from __future__ import annotations

import pytest

import hito
from fake_peer import MESSAGE, FakeServer
from hito import v1

NO_MODEL = v1.ErrorDetails(reason=v1.ErrorReason.ERROR_REASON_NO_MODEL).SerializeToString()


def failing_once(calls: list):
    """A peer that has no model, and notes the calls that come."""

    async def script(peer):
        await peer.greet()
        stream, fields, _ = await peer.call()
        calls.append(fields[1].decode().split("/")[1])
        peer.fail(stream, 14, "no language model is configured", details=NO_MODEL)
        for frame in await peer.at_end():
            assert frame.kind != 2, "it was called again"

    return script


async def fails_at_once(call) -> None:
    with pytest.raises(hito.Unavailable) as caught:
        await call
    assert caught.value.is_lasting and caught.value.from_server
    assert caught.value.reason == v1.ErrorReason.ERROR_REASON_NO_MODEL


async def test_a_unary_call_is_not_repeated_where_there_is_no_model(tls, connect):
    calls: list = []
    async with FakeServer(tls, failing_once(calls)) as server:
        client = await connect(server.address)
        await fails_at_once(client.goals.get_goal(v1.GetGoalRequest()))
        await client.close()
    assert calls == ["GetGoal"]


async def test_a_stream_that_only_reads_is_not_repeated_where_there_is_no_model(tls, connect):
    calls: list = []
    async with FakeServer(tls, failing_once(calls)) as server:
        client = await connect(server.address)
        stream = client.courses.advise(v1.AdviseRequest(question="¿Por dónde empiezo?"))
        await fails_at_once(stream.__anext__())
        with pytest.raises(StopAsyncIteration):
            await stream.__anext__()
        await client.close()
    assert calls == ["Advise"]


async def test_a_watch_gives_up_on_what_lasts(tls, connect):
    calls: list = []
    async with FakeServer(tls, failing_once(calls)) as server:
        client = await connect(server.address)
        watch = client.progress.watch_resuming(v1.WatchRequest())
        await fails_at_once(watch.__anext__())
        with pytest.raises(StopAsyncIteration):
            await watch.__anext__()
        await client.close()
    assert calls == ["Watch"]


async def test_any_other_unavailability_passes(tls, connect):
    reasons = [name for name in v1.ErrorReason.values() if name != 12]
    failures = [
        hito.Unavailable("no", details=v1.ErrorDetails(reason=reason).SerializeToString())
        for reason in reasons
    ]
    assert not any(failure.is_lasting for failure in failures)
    assert hito.Unavailable("no", details=NO_MODEL).is_lasting


async def test_a_goal_is_generated_under_the_caller_s_key_and_not_repeated_by_itself(tls, connect):
    keys = []

    async def script(peer):
        await peer.greet()
        for _ in range(2):
            stream, fields, message = await peer.call()
            assert v1.GenerateGoalRequest.FromString(message).prompt == "Aprender FastAPI"
            keys.append(fields.get(3, b""))
            peer.fail(stream, 14, "busy")
        stream, fields, _ = await peer.call()
        keys.append(fields[3])
        step = v1.GenerateGoalResponse(run_id="r", token=v1.AgentToken(text="x"))
        peer.send(MESSAGE, 0, stream, step.SerializeToString())
        peer.fail(stream, 14, "busy")

    request = v1.GenerateGoalRequest(prompt="Aprender FastAPI")
    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        for key in (None, "mine", "mine"):
            steps = []
            with pytest.raises(hito.Unavailable):
                async for step in client.goals.generate_goal(request, idempotency_key=key):
                    steps.append(step)
        assert [step.token.text for step in steps] == ["x"]
    assert keys == [b"", b"mine", b"mine"]
