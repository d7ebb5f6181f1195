"""What a user may use: told by GetQuota, set by SetQuota, kept to by the server."""

from __future__ import annotations

import asyncio
import json
from typing import Any, List

import hito
import pytest
from hito import v1
from learning import Person, join

RESOURCE_EXHAUSTED = 8


@pytest.fixture
async def admin_client(server, connect) -> hito.Client:
    return await connect(server, server.admin())


async def set_quota(admin: hito.Client, user_id: str, **fields: Any) -> v1.Quota:
    quota = v1.Quota(user_id=user_id, **fields)
    return (await admin.server.set_quota(v1.SetQuotaRequest(quota=quota))).quota


def refused(error: hito.ResourceExhausted, subject: str) -> v1.ErrorDetails:
    assert error.code == RESOURCE_EXHAUSTED, error
    details = error.details
    assert details is not None and details.reason == v1.ErrorReason.ERROR_REASON_QUOTA
    assert details.quota.subject == subject and details.retry_delay_us > 0
    return details


async def test_the_command_line_shows_what_holds(server):
    login = server.join("Nuria", "learner")
    done = server.command(
        "call", "ServerService/GetQuota", "{}", "--address", server.address, "--ca",
        server.ca_file, "--token", login.token,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["effective"]["userId"] == login.user_id
    assert answer["effective"]["callsPerSecond"] == 1000
    assert answer["usage"]["resetsAt"].endswith("T00:00:00Z")


async def test_calls_streams_and_bytes_are_kept_to(server, connect, admin_client):
    person = await join(server, connect, "Olga")
    await set_quota(admin_client, person.id, max_streams=1)
    first = person.client.progress.watch(v1.WatchRequest())
    assert await anext(aiter(first)) is not None
    with pytest.raises(hito.ResourceExhausted) as error:
        async for _ in person.client.progress.watch(v1.WatchRequest()):
            break
    details = refused(error.value, "streams at a time")
    assert details.quota.maximum == 1 and details.quota.used == 1
    usage = (await person.client.server.get_quota(v1.GetQuotaRequest())).usage
    assert usage.streams == 1

    await set_quota(admin_client, person.id, bytes_per_day=1)
    await person.client.goals.create_goal(v1.CreateGoalRequest(title="Aprender"))
    with pytest.raises(hito.ResourceExhausted) as error:
        await person.client.goals.create_goal(v1.CreateGoalRequest(title="Aprender más"))
    details = refused(error.value, "bytes stored per day")
    assert details.quota.used > 1 and details.quota.resets_at.seconds > 0
    usage = (await person.client.server.get_quota(v1.GetQuotaRequest())).usage
    assert usage.bytes_today == details.quota.used

    await set_quota(admin_client, person.id, calls_per_second=0.01, burst=3)
    results = await asyncio.gather(*(get_user(person) for _ in range(10)))
    errors = [result for result in results if result is not None]
    assert len(errors) == 7
    for each in errors:
        refused(each, "calls per second")


async def get_user(person: Person) -> Any:
    try:
        await person.client.users.get_user(v1.GetUserRequest())
    except hito.ResourceExhausted as error:
        return error
    return None


async def test_one_learners_many_searches_do_not_fill_the_queue_for_others(server, connect):
    """A hundred and thirty at once: 128 wait, the rest is told when to come again; meanwhile another
    learner's search has its turn before they are done."""
    loud, quiet = [await join(server, connect, name) for name in ("Pia", "Quim")]
    others: List[Person] = [Person(loud.login, await connect(server, loud.login)) for _ in range(2)]

    async def search(person: Person) -> Any:
        try:
            await person.client.retrieval.search(v1.SearchRequest(query="rutas de FastAPI"))
        except hito.ResourceExhausted as error:
            return error
        return None

    await search(loud)
    many = [asyncio.ensure_future(search(each)) for each in [loud, *others] * 60]
    while not any(each.done() for each in many):
        await asyncio.sleep(0)
    assert await search(quiet) is None
    assert sum(not each.done() for each in many) > 10
    errors = [error for error in await asyncio.gather(*many) if error is not None]
    assert errors
    for each in errors:
        refused(each, "search calls that wait")


async def test_model_tokens_and_the_bytes_of_runs_are_kept_to(thinking, connect, model):
    admin = await connect(thinking, thinking.admin())
    person = await join(thinking, connect, "Vera")

    async def generate() -> None:
        async for _ in person.client.goals.generate_goal(v1.GenerateGoalRequest(prompt="Aprender")):
            pass

    async def feedback() -> None:
        code = v1.CodeText(language="python", content="print(1)")
        async for _ in person.client.code_validation.get_feedback(v1.GetFeedbackRequest(code=code)):
            pass

    await generate()
    used = (await person.client.server.get_quota(v1.GetQuotaRequest())).usage
    # The goal, its tasks and every step of the run, not only its beginning.
    assert used.bytes_today > 10_000 and used.model_tokens_today > 0
    await set_quota(admin, person.id, model_tokens_per_day=1)
    async with asyncio.timeout(30):
        while True:
            try:
                await feedback()
            except hito.ResourceExhausted as error:
                assert error.details.reason == v1.ErrorReason.ERROR_REASON_QUOTA
                break
    await set_quota(admin, person.id, bytes_per_day=1)
    with pytest.raises(hito.ResourceExhausted) as refusal:
        await generate()
    refused(refusal.value, "bytes stored per day")
