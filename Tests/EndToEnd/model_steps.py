"""Steps of a scripted model: good replies and every kind of bad one."""

from __future__ import annotations

import json
import threading
from typing import Any, Dict, List, Optional, Sequence

from scripted_model import Exchange, Step

TITLES = (
    "Crear el proyecto y la primera ruta", "Escribir las rutas para guardar tareas",
    "Probar la API con pruebas automáticas",
)  # fmt: skip
PROSE = "Está bien resuelto. Falta inyectar la sesión, como en el ejemplo validado [C1]."


def task(title: str) -> Dict[str, Any]:
    return {
        "title": title,
        "description": f"{title}: hazlo y mira que funciona.",
        "validation_criteria": [f"Has terminado y comprobado esto: {title}"],
    }


def proposal(titles: Sequence[str] = TITLES, **changed: Any) -> str:
    """A goal as a model replies it; with the titles above it holds the contract."""
    members = {
        "title": "Aprender FastAPI con una API de tareas",
        "description": "Crear una API REST completa, con pruebas y con documentación, para "
        "gestionar una lista de tareas.",
        "tasks": [task(title) for title in titles],
        "validation_criteria": ["Todas las pruebas de la API pasan"],
        "ai_feedback": "Este objetivo sigue lo que ya has aprendido y avanza paso a paso.",
    }
    return json.dumps({**members, **changed}, ensure_ascii=False)


GOOD = proposal()
TWO_TASKS = proposal(TITLES[:2])
# Of the right shape, so that only the contract finds it: two tasks are the same.
DOUBLED = proposal((TITLES[0], TITLES[0], TITLES[2]))


def says(text: str, finish: str = "stop", size: int = 40) -> Step:
    """The whole text, streamed where that is asked for."""
    return lambda exchange: _say(exchange, text, finish, size)


def default(exchange: Exchange) -> None:
    """A good goal where JSON is wanted, else prose."""
    says(GOOD if exchange.request.wants_json else PROSE)(exchange)


def status(number: int, headers: Optional[Dict[str, str]] = None, **error: Any) -> Step:
    """Another status than 200, with the body that providers send."""
    body = {"error": {"message": "no", "type": "error", **error}}
    return lambda exchange: exchange.json(number, body, headers)


def raw(body: bytes) -> Step:
    """Status 200 and these bytes."""
    return lambda exchange: exchange.json(200, body)


def cut(text: str) -> Step:
    """A part of an answer, then the connection is gone."""

    def step(exchange: Exchange) -> None:
        _begin(exchange, text)
        exchange.cut()

    return step


def hangs(text: str = "") -> Step:
    """A part of an answer, then nothing until the caller hangs up."""

    def step(exchange: Exchange) -> None:
        _begin(exchange, text)
        exchange.hang()

    return step


def slow(text: str, gate: threading.Semaphore, size: int = 40) -> Step:
    """One piece each time that the test opens the gate."""

    def step(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in _pieces(text, size):
            if not exchange.hang(until=lambda: gate.acquire(blocking=False)):
                return
            exchange.event(_chunk({"content": piece}))
        _finish(exchange, "stop")

    return step


def _say(exchange: Exchange, text: str, finish: str, size: int) -> None:
    if not exchange.request.body.get("stream"):
        choice = {"index": 0, "message": {"role": "assistant", "content": text}}
        choice["finish_reason"] = finish
        answer = {"object": "chat.completion", "model": "scripted-1", "choices": [choice]}
        return exchange.json(200, {**answer, "usage": _usage(text)})
    exchange.begin_stream()
    for piece in _pieces(text, size):
        exchange.event(_chunk({"content": piece}))
    _finish(exchange, finish)


def _begin(exchange: Exchange, text: str) -> None:
    exchange.begin_stream()
    exchange.event(_chunk({"role": "assistant", "content": ""}))
    for piece in _pieces(text, 40):
        exchange.event(_chunk({"content": piece}))


def _finish(exchange: Exchange, finish: str) -> None:
    exchange.event(_chunk({}, finish))
    if exchange.request.body.get("stream_options", {}).get("include_usage"):
        usage = {"object": "chat.completion.chunk", "model": "scripted-1", "choices": []}
        exchange.event({**usage, "usage": _usage("")})
    exchange.event("[DONE]")
    exchange.end_stream()


def _chunk(delta: Dict[str, str], finish: Optional[str] = None) -> Any:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "model": "scripted-1", "choices": [choice]}


def _pieces(text: str, size: int) -> List[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _usage(text: str) -> Dict[str, int]:
    return {"prompt_tokens": 100, "completion_tokens": max(1, len(text) // 4)}
