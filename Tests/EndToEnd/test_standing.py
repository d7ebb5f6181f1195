"""Streams end soon after their caller may no longer have them; replies of then stay with who may see."""

from __future__ import annotations

import asyncio
from typing import AsyncIterator

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hito import v1
from learning import join

import hito


async def caught_up(client: hito.Client) -> AsyncIterator[v1.WatchResponse]:
    stream = client.progress.watch(v1.WatchRequest())
    async for message in stream:
        if message.mark == v1.SubscriptionMark.SUBSCRIPTION_MARK_CAUGHT_UP:
            return stream
    raise AssertionError("the stream ended before it had caught up")


async def ends_unauthenticated(stream: AsyncIterator[v1.WatchResponse]) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(hito.Unauthenticated) as caught:
            async for _ in stream:
                pass
    assert caught.value.resume_cursor


async def test_an_idle_stream_ends_when_its_token_is_revoked(server, ana, connect):
    client = await connect(server, ana)
    made = await client.users.create_token(v1.CreateTokenRequest(label="phone"))
    phone = await connect(server, ana._replace(token=made.secret))
    stream = await caught_up(phone)
    other = await caught_up(client)
    await client.users.revoke_token(v1.RevokeTokenRequest(token_id=made.token.id))
    await ends_unauthenticated(stream)
    # The other one is served what happens next.
    await client.goals.create_goal(v1.CreateGoalRequest(title="Aprender"))
    async with asyncio.timeout(10):
        async for message in other:
            if message.HasField("event"):
                break
    assert message.event.type == "goal.created"


async def test_a_stream_of_who_is_demoted_ends_and_begins_again_as_less(server, admin, connect):
    root = await connect(server, admin)
    teacher = await join(server, connect, "Inés", "instructor")
    stream = await caught_up(teacher.client)
    await root.users.update_user(
        v1.UpdateUserRequest(
            user_id=teacher.id, user=v1.User(role=v1.Role.ROLE_LEARNER),
            update_mask=FieldMask(paths=["role"]),
        )
    )  # fmt: skip
    await ends_unauthenticated(stream)
    # Begun again, it is a learner's: within the time for which a token's answer is trusted.
    async with asyncio.timeout(10):
        while True:
            try:
                await teacher.client.courses.create_course(v1.CreateCourseRequest(title="Otro"))
            except hito.PermissionDenied:
                break
    again = await caught_up(teacher.client)
    await again.aclose()


async def test_a_verdict_is_not_repeated_to_who_lost_the_learner(server, ines, ana, connect):
    teacher, learner = await connect(server, ines), await connect(server, ana)
    course = await teacher.courses.create_course(v1.CreateCourseRequest(title="FastAPI"))
    course_id = course.course.id
    await learner.courses.enrol(v1.EnrolRequest(course_id=course_id))
    goal = await learner.goals.create_goal(
        v1.CreateGoalRequest(
            title="Del curso", course_id=course_id, tasks=[v1.NewTask(title="Uno")]
        )
    )
    code = await learner.code_validation.create_snapshot(
        v1.CreateSnapshotRequest(
            task_id=goal.tasks[0].id, file_path="a.py", code_content="secreto = 47"
        )
    )
    verdict = v1.RecordVerdictRequest(
        snapshot_id=code.snapshot.id, verdict=v1.Verdict.VERDICT_PASSED, score=1
    )
    first = await teacher.code_validation.record_verdict(verdict, idempotency_key="k")
    again = await teacher.code_validation.record_verdict(verdict, idempotency_key="k")
    assert again.receipt.replayed and again.snapshot == first.snapshot
    await learner.courses.leave(v1.LeaveRequest(course_id=course_id))
    with pytest.raises(hito.NotFound):
        await teacher.code_validation.record_verdict(verdict, idempotency_key="k")


async def test_invented_cursors_are_refused(server, ana, connect):
    client = await connect(server, ana)
    made = await client.goals.create_goal(v1.CreateGoalRequest(title="Aprender"))
    cursor = made.receipt.cursor
    last = "0" if cursor[-1] != "0" else "1"
    for invented, error in (
        (cursor[:-1] + last, hito.OutOfRange),
        ("c2_ffff_" + "0" * 32, hito.OutOfRange),
        ("c1_1_8c3a1f00", hito.InvalidArgument),
    ):
        with pytest.raises(error):
            await client.goals.list_goals(v1.ListGoalsRequest(min_cursor=invented))
