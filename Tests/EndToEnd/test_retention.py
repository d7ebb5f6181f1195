"""What has ended goes once it was kept as long as the settings say; the log keeps everything."""

from __future__ import annotations

from typing import Iterator

import pytest
from history import eventually
from hito import v1
from hito_server import HitoServer
from psql import Session


@pytest.fixture
def keeper() -> Iterator[HitoServer]:
    server = HitoServer(environment={"HITO_TOKEN_DAYS": "30", "HITO_RUN_DAYS": "10"})
    try:
        server.start()
        yield server
    finally:
        server.remove()


async def count(session: Session, query: str) -> int:
    return int((await session.run(f"SELECT count(*) FROM {query};"))[0])


def tokens(user: str, number: int, ended: str) -> str:
    return f"""
        INSERT INTO tokens (id, user_id, role, hash, label, scopes, created_at, expires_at)
        SELECT gen_random_uuid(), '{user}', 'learner', sha256((random()::text || i)::bytea), '', '{{}}',
          now() - interval '500 days', {ended} FROM generate_series(1, {number}) i;
    """


async def test_what_ended_long_ago_goes_though_the_server_is_killed_meanwhile(keeper):
    ana = keeper.join("Ana")
    session = await Session.open(keeper)
    await session.run(
        tokens(ana.user_id, 60_000, "now() - interval '40 days'")
        + tokens(ana.user_id, 50, "now() - interval '20 days'")
        + f"""
        INSERT INTO agent_runs (id, kind, user_id, caller_id, request, status, version, owner,
          lease_until, created_at, updated_at)
          SELECT gen_random_uuid(), 'goal', '{ana.user_id}', '{ana.user_id}', '{{}}',
            CASE WHEN i <= 500 THEN 'completed' ELSE 'awaiting_approval' END, 1, 'one', now(),
            now() - interval '90 days', now() - interval '20 days' FROM generate_series(1, 600) i;
        INSERT INTO model_usage (user_id, hour, call_count, prompt_tokens, completion_tokens,
          cost_micros)
          SELECT '{ana.user_id}', date_trunc('hour', now()) - i * interval '100 days', 1, 1, 1, 1
          FROM generate_series(0, 9) i;
        """,
        seconds=60,
    )
    events = await count(session, "events")
    await session.close()
    keeper.kill()
    # It begins with what is old as soon as it starts.
    await keeper.restart()
    keeper.kill()
    await keeper.restart()
    session = await Session.open(keeper)

    async def gone() -> bool:
        left = [
            await count(session, f"tokens WHERE user_id = '{ana.user_id}'"),
            await count(session, "agent_runs"),
            await count(session, "model_usage"),
        ]
        # Their token and those that ended 20 days ago; what waits for a word; 400 days.
        return left == [51, 100, 5]

    await eventually("what is old to be gone", gone, 60)
    assert await count(session, "agent_runs WHERE status = 'awaiting_approval'") == 100
    # Nothing of it is an event, and none is lost.
    assert await count(session, "events") == events
    await session.close()
    async with await keeper.connect(ana) as client:
        reply = await client.goals.create_goal(v1.CreateGoalRequest(title="Sigo aquí"))
        assert reply.goal.title == "Sigo aquí"


@pytest.mark.parametrize(
    ("option", "value"),
    [("--token-days", "-1"), ("--run-days", "1.5"), ("--usage-days", "40000")],
)
def test_a_time_that_is_none_is_refused(option, value):
    server = HitoServer()
    try:
        done = server.command("config", f"{option}={value}")
        assert done.returncode == 64, done.stdout
        assert "whole number, 0 to 36500" in done.stderr, done.stderr
    finally:
        server.remove()
