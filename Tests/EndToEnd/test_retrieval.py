"""Searching, and what nobody may find: through the client, against the real program."""

from __future__ import annotations

import asyncio

import pytest
from hito import v1
from psql import Session

import hito

SECRET = "La clave secreta del examen de Berta es ornitorrinco violeta"
VECTOR, TEXT, HYBRID = (
    v1.SearchMode.SEARCH_MODE_VECTOR, v1.SearchMode.SEARCH_MODE_TEXT,
    v1.SearchMode.SEARCH_MODE_HYBRID,
)  # fmt: skip


async def a_goal(client, title: str, description: str = "", completed: bool = False):
    made = await client.goals.create_goal(
        v1.CreateGoalRequest(title=title, description=description)
    )
    if completed:
        await client.goals.complete_goal(v1.CompleteGoalRequest(goal_id=made.goal.id))
    return made


async def test_a_goal_is_found_at_once_across_languages(server, ana, connect):
    client = await connect(server, ana)
    for title in ("Cocinar paella valenciana", "Entender las ramas de Git", "Correr un maratón"):
        await a_goal(client, title)
    made = await a_goal(client, "Consultar bases de datos con SQL", "Uniones y agrupaciones")
    request = v1.SearchRequest(
        query="learn to query relational databases", mode=VECTOR, limit=1,
        min_cursor=made.receipt.cursor,
    )  # fmt: skip
    found = await client.retrieval.search(request)
    assert [hit.citation.entity_id for hit in found.hits] == [made.goal.id]
    assert found.method == "exact" and found.model == "use-multilingual-3-int8"
    assert 0.3 < found.hits[0].citation.similarity <= 1


async def test_nothing_of_another_learner_comes_up_by_any_path(
    server, admin, ana, berta, ines, connect
):
    """Near-identical texts of two learners: Ana finds hers, never Berta's."""
    hers, theirs = await connect(server, ana), await connect(server, berta)
    teacher, root = await connect(server, ines), await connect(server, admin)
    own = await a_goal(hers, "La clave del examen es ornitorrinco", completed=True)
    foreign = await a_goal(theirs, "La clave del examen es ornitorrinco", SECRET, completed=True)
    open_goal = await a_goal(theirs, "La clave del examen", SECRET)
    code = f"# {SECRET}\ndef clave():\n    return 'ornitorrinco violeta'\n"
    snapshot = (
        await theirs.code_validation.create_snapshot(
            v1.CreateSnapshotRequest(file_path="clave.py", code_content=code)
        )
    ).snapshot
    verdict = v1.RecordVerdictRequest(
        snapshot_id=snapshot.id, verdict="VERDICT_PASSED", score=0.95, feedback=SECRET
    )
    done = await root.code_validation.record_verdict(verdict)
    course = (
        await teacher.courses.create_course(
            v1.CreateCourseRequest(title="Curso del ornitorrinco violeta", description=SECRET)
        )
    ).course
    await theirs.courses.enrol(v1.EnrolRequest(course_id=course.id))
    forbidden = {foreign.goal.id, open_goal.goal.id, snapshot.id, course.id}

    async def everything() -> list:
        replies = []
        for query in (SECRET, "ornitorrinco violeta", "clave del examen", code):
            for mode in (VECTOR, TEXT, HYBRID):
                for kinds in ([], ["goal"], ["course"], ["code_snapshot"]):
                    replies.append(
                        await hers.retrieval.search(
                            v1.SearchRequest(
                                query=query, mode=mode, entity_types=kinds, limit=100,
                                min_similarity=-1, rerank=mode == HYBRID,
                                min_cursor=done.receipt.cursor,
                            )  # fmt: skip
                        )
                    )
            replies += [
                await hers.retrieval.search_similar_goals(
                    v1.SearchSimilarGoalsRequest(query=query, limit=100)
                ),
                await hers.retrieval.search_course_documents(
                    v1.SearchCourseDocumentsRequest(query=query, limit=100)
                ),
                await hers.retrieval.search_validated_code(
                    v1.SearchValidatedCodeRequest(query=query, limit=100)
                ),
            ]
        return replies

    for reply in await everything():
        ids = {hit.citation.entity_id for hit in reply.hits}
        assert not ids & forbidden
        assert "violeta" not in str(reply)
    # Also where she asks for it by name.
    with pytest.raises(hito.HitoError) as refused:
        await hers.retrieval.search_similar_goals(
            v1.SearchSimilarGoalsRequest(query="clave", user_id=berta.user_id)
        )
    assert refused.value.code == hito.StatusCode.PERMISSION_DENIED
    with pytest.raises(hito.HitoError) as refused:
        await hers.retrieval.search_course_documents(
            v1.SearchCourseDocumentsRequest(query="clave", course_id=course.id)
        )
    assert refused.value.code == hito.StatusCode.PERMISSION_DENIED
    assert own.goal.id in {
        hit.citation.entity_id
        for hit in (
            await hers.retrieval.search_similar_goals(
                v1.SearchSimilarGoalsRequest(query="clave del examen ornitorrinco")
            )
        ).hits
    }
    # What Berta shares, and what Ana enrols in, she finds: and not whose it is.
    await theirs.code_validation.set_sharing(
        v1.SetSharingRequest(snapshot_id=snapshot.id, shared=True)
    )
    await hers.courses.enrol(v1.EnrolRequest(course_id=course.id))
    found = {hit.citation.entity_id for reply in await everything() for hit in reply.hits}
    assert found & forbidden == {snapshot.id, course.id}
    assert not any(berta.user_id in str(reply) for reply in await everything())
    # And no longer, once it is taken back.
    await theirs.code_validation.set_sharing(
        v1.SetSharingRequest(snapshot_id=snapshot.id, shared=False)
    )
    await hers.courses.leave(v1.LeaveRequest(course_id=course.id))
    found = {hit.citation.entity_id for reply in await everything() for hit in reply.hits}
    assert not found & forbidden
    assert SECRET not in server.log.read_text(errors="replace")


async def test_the_database_itself_withholds_what_a_learner_may_not_read(
    server, ana, berta, connect
):
    theirs = await connect(server, berta)
    made = await a_goal(theirs, "Solo de Berta")
    session = await Session.open(server)
    try:
        lines = await session.run(
            f"""
            BEGIN;
            SET LOCAL hito.scope = 'own';
            SET LOCAL hito.caller = '{ana.user_id}';
            SELECT count(*) FROM passages WHERE entity_id = '{made.goal.id}';
            SELECT count(*) FROM goals WHERE user_id <> '{ana.user_id}';
            SET LOCAL hito.caller = '';
            SELECT count(*) FROM passages;
            SET LOCAL hito.caller = '{berta.user_id}';
            SELECT count(*) FROM passages WHERE entity_id = '{made.goal.id}';
            ROLLBACK;
            """
        )
    finally:
        await session.close()
    assert lines == ["0", "0", "0", "1"]


async def test_a_killed_server_owes_no_vector(mortal, mortal_admin, mortal_ana, connect):
    client = await connect(mortal, mortal_ana)
    first = await a_goal(client, "Aprender a tocar la guitarra")
    # Vectors of code are made after the commit: some are under way when it dies.
    snapshots = await asyncio.gather(
        *(
            client.code_validation.create_snapshot(
                v1.CreateSnapshotRequest(
                    file_path=f"f{i}.py", code_content=f"def f{i}(x):\n    return x + {i}\n" * 20
                )
            )
            for i in range(40)
        )
    )
    mortal.kill()
    await mortal.restart()
    admin = await connect(mortal, mortal_admin)
    last = snapshots[-1].receipt.cursor
    found = await client.retrieval.search(
        v1.SearchRequest(query="guitarra", mode=VECTOR, min_cursor=first.receipt.cursor)
    )
    assert [hit.citation.entity_id for hit in found.hits][:1] == [first.goal.id]
    for made in snapshots:
        await client.retrieval.search(
            v1.SearchRequest(query="x", min_cursor=made.receipt.cursor), timeout=60.0
        )
    status = await admin.retrieval.get_embedding_status(v1.GetEmbeddingStatusRequest())
    assert (status.stored, status.pending, len(status.failures)) == (41, 0, 0)
    session = await Session.open(mortal)
    try:
        doubled = await session.run(
            """
            SELECT count(*) FROM embeddings GROUP BY entity_type, entity_id, chunk_number, user_id
            HAVING count(*) > 1;
            """
        )
    finally:
        await session.close()
    assert doubled == []
    assert last
