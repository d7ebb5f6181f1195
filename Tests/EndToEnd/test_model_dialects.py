"""Local servers of models that answer a little otherwise: their goals are goals as well."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List

import pytest
from hito_server import HitoServer
from learning import Person, generate, join
from model_steps import GOOD, default, says
from scripted_model import Exchange, ScriptedModel, Step

WISH = "Aprender FastAPI"


def events(*chunks: Any, done: bool = True) -> Step:
    """A stream of exactly these chunks."""

    def step(exchange: Exchange) -> None:
        exchange.begin_stream()
        for chunk in chunks:
            exchange.event(chunk)
        if done:
            exchange.event("[DONE]")
        exchange.end_stream()

    return step


def piece(content: Any, finish: Any = None) -> Dict[str, Any]:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "choices": [choice]}


def end(reason: Any) -> Dict[str, Any]:
    choice = {"index": 0, "delta": {}, "finish_reason": reason}
    return {"object": "chat.completion.chunk", "choices": [choice]}


HALF = len(GOOD) // 2
STREAMS: Dict[str, Step] = {
    "fenced": says(f"```json\n{GOOD}\n```"),
    "fenced in prose": says(f"¡Claro! Aquí está:\n\n```\n{GOOD}\n```\n\n¿Te sirve {{así}}?"),
    "after thoughts": says(f"<think>\nUn objetivo {{pequeño}}.\n</think>\n\n{GOOD}"),
    "after thoughts without a beginning": says(f"Un objetivo.\n</think>\n\n{GOOD}"),
    "eos_token": says(GOOD, finish="eos_token"),
    "STOP": says(GOOD, finish="STOP"),
    "no reason before the end": events(piece(GOOD)),
    "no end either": events(piece(GOOD), done=False),
    "no choices": events(
        piece(GOOD[:HALF]), {"choices": None}, "", {"type": "ping"}, "ping",
        piece(GOOD[HALF:]), end("stop"),
    ),
    "parts": events(
        piece([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": GOOD}]),
        end("end_turn"),
    ),
    "usage as floats": events(
        piece(GOOD), end("stop"),
        {"choices": [], "usage": {"prompt_tokens": 100.0, "completion_tokens": 7.5}},
    ),
}  # fmt: skip
# What a server says of each parameter, and with which status.
REFUSALS: Dict[str, Any] = {
    "max_tokens": (400, {"error": {"message": "use max_completion_tokens", "param": "max_tokens"}}),
    "stream_options": (400, {"error": {"message": "Unknown field stream_options"}}),
    "temperature": (
        422, {"detail": [{"loc": ["body", "temperature"], "msg": "Extra inputs are not permitted"}]},
    ),
    "seed": (400, {"error": "unrecognized argument: seed"}),
    "response_format": (400, {"error": {"message": "json_schema is not supported"}}),
    "stream": (501, {"error": {"message": "stream: not implemented"}}),
}  # fmt: skip


@pytest.fixture(scope="module")
def local() -> Iterator[ScriptedModel]:
    provider = ScriptedModel(default)
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def server(local: ScriptedModel) -> Iterator[HitoServer]:
    running = HitoServer(
        environment={"HITO_MODEL_URL": local.url, "HITO_MODEL": "local",
                     "HITO_MODEL_CALLS_PER_MINUTE": "1000"}
    )  # fmt: skip
    try:
        running.start()
        yield running
        running.stop()
    finally:
        running.remove()


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_of_another_form_is_a_reply(server, connect, local, name):
    local.clear()
    local.script(STREAMS[name])
    person = await join(server, connect, "Lea")
    run = await generate(person, WISH)
    assert run.result.planner == "model" and len(local.chats) == 1
    assert run.result.goal.title == json.loads(GOOD)["title"]
    assert "<think>" not in run.text


async def test_what_is_refused_is_learned_once_and_said(server, connect, local):
    person: Person = await join(server, connect, "Lea")

    def refusing(gone: List[str]) -> Step:
        def step(exchange: Exchange) -> None:
            for name in gone:
                if name in exchange.request.body:
                    return exchange.json(*REFUSALS[name])
            says(GOOD)(exchange)

        return step

    for count, name in enumerate(REFUSALS, 1):
        gone = list(REFUSALS)[:count]
        local.clear()
        local.script(*[refusing(gone)] * 4)
        person = await join(server, connect, "Lea")
        assert (await generate(person, WISH)).result.planner == "model"
        assert len(local.chats) == 2, name
        assert "JSON Schema" in local.chats[-1].system or "response_format" not in gone
    # It is known from now on, also after a restart.
    for _ in range(2):
        local.clear()
        local.script(refusing(list(REFUSALS)))
        person = await join(server, connect, "Lea")
        assert (await generate(person, WISH)).result.planner == "model"
        assert len(local.chats) == 1
        server.stop()
        await server.restart()
    doctor = server.command("doctor", "--data-dir", str(server.data), "--address", server.address)
    (line,) = [line for line in doctor.stdout.splitlines() if " refuses " in line]
    assert all(name in line for name in REFUSALS), line


async def test_a_server_without_a_role_of_the_system_is_learned_once_and_said(connect):
    """One of its own: what the other one refuses is in its book."""

    def step(exchange: Exchange) -> None:
        if exchange.request.system:
            return exchange.json(400, {"error": {"message": "System role not supported"}})
        says(GOOD)(exchange)

    provider = ScriptedModel(step)
    server = HitoServer(environment={"HITO_MODEL_URL": provider.url, "HITO_MODEL": "gemma"})
    try:
        await server.restart()
        for count in (2, 3):
            person = await join(server, connect, "Lea")
            assert (await generate(person, WISH)).result.planner == "model"
            assert len(provider.chats) == count
        refused, taken, known = provider.chats
        assert not taken.system and not known.system
        # All of it, before what the learner wrote.
        assert taken.user == f"{refused.system}\n\n{refused.user}"
        doctor = server.command(
            "doctor", "--data-dir", str(server.data), "--address", server.address
        )
        assert [line for line in doctor.stdout.splitlines() if "refuses system_role" in line]
        server.stop()
    finally:
        server.remove()
        provider.stop()


def test_a_model_in_the_open_is_for_the_own_network_and_by_name(server):
    def doctor(url: str, *options: str) -> str:
        answer = server.command(
            "doctor", "--data-dir", str(server.data), "--model-url", url, "--model", "m", *options
        )
        lines = [line for line in answer.stdout.splitlines() if line.split()[1:2] == ["model"]]
        return lines[0].split()[0]

    assert doctor("http://192.168.1.7:8080/v1") == "fail"
    assert doctor("http://192.168.1.7:8080/v1", "--model-plaintext", "yes") == "ok"
    assert doctor("http://8.8.8.8/v1", "--model-plaintext", "yes") == "fail"
    assert doctor("https://8.8.8.8/v1") == "ok"
