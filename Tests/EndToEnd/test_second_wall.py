"""Other people's ids once more, on a server whose statements ask for everybody's rows: what is left is
row-level security (ADR 0014)."""

from __future__ import annotations

import asyncio
from typing import Any, List

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hito import v1
from learning import generate, join
from psql import Session
from test_ownership import REFUSED, SECRET, Victim, answers, attacks, contract, filled

import hito

CODE = f"# {SECRET}\nprint(47)\n"


@pytest.fixture
async def victim(without_first_wall, connect) -> Victim:
    """Ana with one of everything, also in a course of somebody whom nobody else knows."""
    server = without_first_wall
    ana = await join(server, connect, "Ana")
    teacher = await join(server, connect, "Tomás", "instructor")
    course = await teacher.client.courses.create_course(v1.CreateCourseRequest(title="Curso"))
    await ana.client.courses.enrol(v1.EnrolRequest(course_id=course.course.id))
    made = await ana.client.goals.create_goal(
        v1.CreateGoalRequest(
            title=SECRET, description=SECRET, course_id=course.course.id,
            tasks=[v1.NewTask(title=SECRET), v1.NewTask(title=SECRET)],
        )
    )  # fmt: skip
    victim = Victim(ana.login, ana.client, made)
    tokens = await ana.client.users.list_tokens(v1.ListTokensRequest())
    victim.token_id = tokens.tokens[0].id
    snapshot = await ana.client.code_validation.create_snapshot(
        v1.CreateSnapshotRequest(file_path="a.py", code_content=CODE, task_id=made.tasks[0].id)
    )
    run = await generate(ana, SECRET)
    victim.values.update(
        token_id=victim.token_id, snapshot_id=snapshot.snapshot.id, run_id=run.id,
        course_id=course.course.id,
    )  # fmt: skip
    return victim


async def outsiders(server: Any, connect: Any) -> List[hito.Client]:
    """A learner, and an instructor with a course and a learner of their own."""
    berta = await join(server, connect, "Berta")
    ines = await join(server, connect, "Ines", "instructor")
    course = await ines.client.courses.create_course(v1.CreateCourseRequest(title="Otro curso"))
    await berta.client.courses.enrol(v1.EnrolRequest(course_id=course.course.id))
    return [berta.client, ines.client]


async def test_the_first_wall_is_down_and_the_second_one_is_what_hides_a_goal(
    without_first_wall, victim, connect
):
    berta = await join(without_first_wall, connect, "Berta")
    request = v1.GetGoalRequest(goal_id=victim.goal.id)
    owner = await Session.open(without_first_wall)
    try:
        await owner.run("ALTER TABLE goals DISABLE ROW LEVEL SECURITY;")
        try:
            assert (await berta.client.goals.get_goal(request)).goal.title == SECRET
        finally:
            await owner.run("ALTER TABLE goals ENABLE ROW LEVEL SECURITY;")
        with pytest.raises(hito.NotFound):
            await berta.client.goals.get_goal(request)
    finally:
        await owner.close()


async def test_every_call_with_another_learner_s_ids_is_refused(
    without_first_wall, victim, connect
):
    for intruder in await outsiders(without_first_wall, connect):
        for attack in attacks(intruder, victim):
            try:
                answer = await attack
            except REFUSED as refusal:
                assert SECRET not in str(refusal), "an error tells what it refuses"
            else:
                # An instructor may ask for the lists of a learner, and finds nothing there.
                assert not answer.ByteSize() or SECRET.encode() not in answer.SerializeToString()
    await victim.is_unharmed()


async def test_no_method_of_the_contract_tells_of_another_learner(
    without_first_wall, victim, connect
):
    hidden = [SECRET, victim.token_id, *(task.id for task in victim.tasks)]

    async def attack(intruder: hito.Client, method: Any, request_type: Any, reply: Any) -> None:
        try:
            for answer in await answers(intruder, method, filled(request_type, victim), reply):
                text = answer.SerializeToString()
                assert not [h for h in hidden if h.encode() in text], method.full_name
        except hito.HitoError as error:
            assert error.code != hito.StatusCode.INTERNAL, f"{method.full_name}: {error}"
            assert SECRET not in str(error)

    for intruder in await outsiders(without_first_wall, connect):
        await asyncio.gather(*(attack(intruder, *method) for method in contract()))
    await victim.is_unharmed()


async def test_those_who_may_see_still_do_and_change_no_more_than_before(
    without_first_wall, victim, connect
):
    teacher = await join(without_first_wall, connect, "Ines", "instructor")
    pupil = await join(without_first_wall, connect, "Pía")
    made = await teacher.client.courses.create_course(v1.CreateCourseRequest(title="Curso"))
    course = made.course.id
    await pupil.client.courses.enrol(v1.EnrolRequest(course_id=course))
    goals = [
        (await pupil.client.goals.create_goal(v1.CreateGoalRequest(title=title, course_id=place)))
        .goal
        for title, place in [("En el curso", course), ("Propia", "")]
    ]  # fmt: skip
    read = await teacher.client.goals.get_goal(v1.GetGoalRequest(goal_id=goals[0].id))
    assert read.goal == goals[0]
    listed = await teacher.client.goals.list_goals(v1.ListGoalsRequest(user_id=pupil.id))
    assert list(listed.goals) == [goals[0]]
    with pytest.raises(hito.NotFound):
        await teacher.client.goals.get_goal(v1.GetGoalRequest(goal_id=goals[1].id))
    for goal in goals:
        change = v1.UpdateGoalRequest(
            goal_id=goal.id, goal=v1.Goal(title="x"), update_mask=FieldMask(paths=["title"])
        )
        with pytest.raises(REFUSED):
            await teacher.client.goals.update_goal(change)
    await pupil.client.courses.leave(v1.LeaveRequest(course_id=course))
    with pytest.raises(hito.NotFound):
        await teacher.client.goals.get_goal(v1.GetGoalRequest(goal_id=goals[0].id))
    admin = await join(without_first_wall, connect, "Root", "admin")
    seen = await admin.client.goals.get_goal(v1.GetGoalRequest(goal_id=victim.goal.id))
    assert seen.goal == victim.goal and list(seen.tasks) == victim.tasks
