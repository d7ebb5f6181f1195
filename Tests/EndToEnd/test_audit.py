"""Who was refused, who read what, and that nobody changed the log unseen."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Callable, List

import pytest
from history import read_all
from hito import v1
from hito_server import HitoServer, waiting
from psql import Session

import hito

KIND = v1.AuditKind


async def entries(client: hito.Client, **wanted: Any) -> List[v1.AuditEntry]:
    request = v1.ListAuditEntriesRequest(page=v1.PageRequest(page_size=200), **wanted)
    return list((await client.server.list_audit_entries(request)).entries)


async def found(
    client: hito.Client, what: Callable[[v1.AuditEntry], bool], **wanted: Any
) -> v1.AuditEntry:
    """The newest such entry: entries are stored some seconds after what they tell of."""
    async with asyncio.timeout(30):
        while True:
            for entry in await entries(client, **wanted):
                if what(entry):
                    return entry
            await asyncio.sleep(0.2)


def verify(server: HitoServer, *options: str) -> "Any":
    return server.command("audit", "verify", "--data-dir", str(server.data), *options)


def head(server: HitoServer) -> str:
    """The hash of the newest seal, once everything that is there now is sealed."""
    for _ in waiting(60, "everything to be sealed"):
        shown = verify(server)
        assert shown.returncode == 0, shown.stdout + shown.stderr
        # Before the first seal, nothing may be there that waits for one either.
        has_seals = not shown.stdout.startswith("0 seals")
        if has_seals and "0 events and 0 entries wait" in shown.stdout:
            return server.command("audit", "head", "--data-dir", str(server.data)).stdout.strip()
    raise AssertionError


async def test_what_is_refused_is_told_with_who_and_how_often(server, ana, berta, admin, connect):
    root, client = await connect(server, admin), await connect(server, ana)
    goal = (await client.goals.create_goal(v1.CreateGoalRequest(title="Secreto"))).goal
    other = await connect(server, berta)
    for _ in range(3):
        with pytest.raises(hito.PermissionDenied):
            await other.users.list_users(v1.ListUsersRequest())
        with pytest.raises(hito.NotFound):
            await other.goals.get_goal(v1.GetGoalRequest(goal_id=goal.id))
    first = await found(
        root, lambda e: e.method.endswith("ListUsers"),
        actor_id=berta.user_id, kinds=[KIND.AUDIT_KIND_REFUSAL],
    )  # fmt: skip
    assert first.status == 7 and first.peer == "127.0.0.1" and first.token_id
    asked = await found(
        root, lambda e: e.method.endswith("GetGoal") and e.status == 5, actor_id=berta.user_id
    )
    assert asked.count >= 1
    # What was asked for is not in it: it could be anything that a caller says.
    assert goal.id not in str(asked)


async def test_calls_without_a_good_token_are_told_by_address(server, ana, admin, connect):
    root = await connect(server, admin)
    for login in (None, ana._replace(token="hito_" + "A" * 43)):
        stranger = await connect(server, login)
        with pytest.raises(hito.Unauthenticated):
            await stranger.goals.list_goals(v1.ListGoalsRequest())
    entry = await found(
        root, lambda e: e.status == 16 and e.method.endswith("ListGoals"),
        kinds=[KIND.AUDIT_KIND_REFUSAL],
    )  # fmt: skip
    assert not entry.actor_id and entry.peer == "127.0.0.1"
    # Nothing that was presented is in any entry.
    assert "AAAA" not in str(await entries(root))


async def test_who_reads_what_is_others_is_told_to_them(server, ana, admin, connect):
    root, client = await connect(server, admin), await connect(server, ana)
    goal = (await client.goals.create_goal(v1.CreateGoalRequest(title="Aprender"))).goal
    for _ in range(5):
        await client.goals.get_goal(v1.GetGoalRequest(goal_id=goal.id))
        await root.goals.get_goal(v1.GetGoalRequest(goal_id=goal.id))
    await root.analytics.get_productivity(v1.GetProductivityRequest(user_id=ana.user_id))
    watched = root.progress.watch(
        v1.WatchRequest(filter=v1.EventFilter(user_ids=[ana.user_id]), from_beginning=True)
    )
    await anext(aiter(watched))
    await watched.aclose()
    methods = set()
    for name in ("GetGoal", "GetProductivity", "Watch"):
        entry = await found(
            client, lambda e, name=name: e.method.endswith(name), kinds=[KIND.AUDIT_KIND_READ]
        )
        methods.add(entry.method)
        assert entry.actor_id == admin.user_id and entry.subject_id == ana.user_id
        # Where others are is not hers to know.
        assert not entry.peer
    assert len(methods) == 3
    # Her own reads are no entries, and she sees nothing that is not about her.
    mine = await entries(client)
    assert all(ana.user_id in (e.actor_id, e.subject_id) for e in mine)
    assert not any(
        e.kind == KIND.AUDIT_KIND_READ and e.actor_id == ana.user_id for e in mine
    )
    assert await entries(client, subject_id=admin.user_id, actor_id=admin.user_id) == []


async def test_who_reads_shared_code_is_told_to_its_author_and_not_the_author_to_them(
    server, ana, berta, admin, connect
):
    author, reader = await connect(server, ana), await connect(server, berta)
    root = await connect(server, admin)
    code = "def ornitorrinco_compartido(numero: int) -> int:\n    return numero + 41\n"
    made = await author.code_validation.create_snapshot(
        v1.CreateSnapshotRequest(file_path="compartido.py", code_content=code)
    )
    await root.code_validation.record_verdict(
        v1.RecordVerdictRequest(snapshot_id=made.snapshot.id, verdict="VERDICT_PASSED", score=1.0)
    )
    await author.code_validation.set_sharing(
        v1.SetSharingRequest(snapshot_id=made.snapshot.id, shared=True)
    )
    await author.retrieval.search(
        v1.SearchRequest(query="x", min_cursor=made.receipt.cursor)
    )
    shown = await reader.retrieval.search_validated_code(
        v1.SearchValidatedCodeRequest(query=code)
    )
    assert made.snapshot.id in {hit.citation.entity_id for hit in shown.hits}
    told = await found(
        author, lambda e: e.method.endswith("SearchValidatedCode"),
        actor_id=berta.user_id, kinds=[KIND.AUDIT_KIND_READ],
    )  # fmt: skip
    assert told.subject_id == ana.user_id and told.reason == "shared code" and not told.peer
    mine = [e for e in await entries(reader) if e.id == told.id]
    assert len(mine) == 1 and not mine[0].subject_id
    assert not any(e.reason for e in await entries(reader, subject_id=ana.user_id))
    assert told.id in {e.id for e in await entries(root, subject_id=ana.user_id)}


async def test_tokens_are_events_without_secrets_and_their_use_is_told(
    server, ana, admin, connect
):
    root, client = await connect(server, admin), await connect(server, ana)
    made = await client.users.create_token(v1.CreateTokenRequest(label="teléfono"))
    phone = await connect(server, ana._replace(token=made.secret))
    await phone.goals.list_goals(v1.ListGoalsRequest())
    await client.users.revoke_token(v1.RevokeTokenRequest(token_id=made.token.id))
    used = await found(
        client, lambda e: e.token_id == made.token.id, kinds=[KIND.AUDIT_KIND_SIGN_IN]
    )
    assert used.actor_id == ana.user_id and used.peer == "127.0.0.1"

    async def issued() -> List[v1.Event]:
        events = await read_all(root, v1.EventFilter(types=["user.*"]))
        return [e for e in events if e.entity_id == made.token.id]

    async with asyncio.timeout(20):
        while len(events := await issued()) < 2:
            await asyncio.sleep(0.05)
    assert [e.type for e in events] == ["user.token_issued", "user.token_revoked"]
    for event in events:
        payload = json.loads(event.payload_json)
        assert payload["owner_id"] == ana.user_id and payload["role"] == "learner"
        assert made.secret not in str(event) and "hash" not in payload
        assert json.loads(event.metadata_json)["actor"]["user_id"] == ana.user_id
    # They are no learning: the owner's log and report have none of them.
    assert not any(e.type.startswith("user.token") for e in await read_all(client))


async def test_the_first_edited_or_missing_row_is_named(mortal, mortal_ana, connect):
    client = await connect(mortal, mortal_ana)
    for number in range(5):
        await client.goals.create_goal(v1.CreateGoalRequest(title=f"Meta {number}"))
    kept = await asyncio.to_thread(head, mortal)
    assert len(kept) == 64
    assert verify(mortal, "--expect", kept).returncode == 0
    assert verify(mortal, "--expect", "0" * 64).returncode == 1
    session = await Session.open(mortal)
    try:
        (position, event) = (
            await session.run(
                "SELECT p.position || ' ' || e.id FROM events e JOIN event_positions p USING (seq)"
                " WHERE e.event_type = 'goal.created' ORDER BY 1 LIMIT 1 OFFSET 2;"
            )
        )[0].split()
        await session.run(
            "CREATE TABLE kept AS SELECT * FROM events;"
            f"UPDATE events SET payload = payload || '{{\"title\": \"otra\"}}' WHERE id = '{event}';"
        )
        shown = verify(mortal)
        assert shown.returncode == 1
        assert f"event {event} at position {position} is not what was sealed" in shown.stderr
        await session.run(f"DELETE FROM events WHERE id = '{event}';")
        assert f"the event at position {position} is missing" in verify(mortal).stderr
        await session.run(f"INSERT INTO events SELECT * FROM kept WHERE id = '{event}';")
        # What is put back as it was is as sealed, also what jsonb and times look like.
        assert verify(mortal, "--expect", kept).returncode == 0, verify(mortal).stderr
        # Who makes all seals anew hides an edit from who kept nothing.
        await session.run("DELETE FROM log_seals;")
        shown = verify(mortal, "--expect", kept)
        assert shown.returncode == 1 and "expected hash" in shown.stderr
    finally:
        await session.close()


async def test_what_was_noted_survives_an_orderly_end(mortal, mortal_ana, mortal_admin, connect):
    client = await connect(mortal, mortal_ana)
    for _ in range(7):
        with pytest.raises(hito.PermissionDenied):
            await client.users.list_users(v1.ListUsersRequest())
    await asyncio.to_thread(mortal.stop)
    await mortal.restart()
    root = await connect(mortal, mortal_admin)
    refused = [
        e for e in await entries(root, actor_id=mortal_ana.user_id)
        if e.method.endswith("ListUsers")
    ]  # fmt: skip
    assert sum(e.count for e in refused) == 7
    numbers = sorted(e.number for e in await entries(root))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
