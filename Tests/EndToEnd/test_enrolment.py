"""Nobody is in a course who did not want to be, and nobody is seen who is not in it."""

from __future__ import annotations

import pytest
from history import read_all
from hito import v1

import hito

INVITED = v1.EnrolmentState.ENROLMENT_STATE_INVITED
ACTIVE = v1.EnrolmentState.ENROLMENT_STATE_ACTIVE
LEFT = v1.EnrolmentState.ENROLMENT_STATE_LEFT
DECLINED = v1.EnrolmentState.ENROLMENT_STATE_DECLINED


async def new_course(teacher: hito.Client) -> str:
    made = await teacher.courses.create_course(v1.CreateCourseRequest(title="FastAPI"))
    return made.course.id


async def invite(teacher: hito.Client, course: str, user_id: str) -> v1.EnrolResponse:
    return await teacher.courses.enrol(v1.EnrolRequest(course_id=course, user_id=user_id))


async def places(client: hito.Client, course: str, *states) -> list:
    listed = await client.courses.list_learner_enrolments(
        v1.ListLearnerEnrolmentsRequest(states=states)
    )
    return [place for place in listed.enrolments if place.course_id == course]


async def test_who_left_a_course_is_seen_again_only_after_accepting(server, ines, ana, connect):
    teacher, learner = await connect(server, ines), await connect(server, ana)
    course = await new_course(teacher)
    await learner.courses.enrol(v1.EnrolRequest(course_id=course))
    goal = (
        await learner.goals.create_goal(v1.CreateGoalRequest(title="Del curso", course_id=course))
    ).goal.id
    await learner.courses.leave(v1.LeaveRequest(course_id=course))
    changed = await learner.goals.start_goal(v1.StartGoalRequest(goal_id=goal))

    invited = await invite(teacher, course, ana.user_id)
    assert invited.enrolment.state == INVITED and not invited.enrolment.active
    with pytest.raises(hito.NotFound):
        await teacher.goals.get_goal(v1.GetGoalRequest(goal_id=goal))
    seen = await read_all(
        teacher, v1.EventFilter(course_ids=[course]), min_cursor=changed.receipt.cursor
    )
    assert not [event for event in seen if event.type.startswith("goal.")]

    (place,) = await places(learner, course)
    assert place.state == INVITED and place.changed_by == ines.user_id
    accepted = await learner.courses.accept_enrolment(
        v1.AcceptEnrolmentRequest(course_id=course)
    )
    assert accepted.enrolment.active and not accepted.enrolment.direct
    again = await learner.courses.accept_enrolment(v1.AcceptEnrolmentRequest(course_id=course))
    assert again.enrolment == accepted.enrolment
    found = await teacher.goals.get_goal(v1.GetGoalRequest(goal_id=goal))
    assert found.goal.id == goal


async def test_an_admin_is_invited_and_may_decline(server, ines, admin, connect):
    teacher, other = await connect(server, ines), await connect(server, admin)
    course = await new_course(teacher)
    assert (await invite(teacher, course, admin.user_id)).enrolment.state == INVITED
    declined = await other.courses.decline_enrolment(
        v1.DeclineEnrolmentRequest(course_id=course)
    )
    assert declined.enrolment.state == DECLINED
    listed = await teacher.courses.list_enrolments(v1.ListEnrolmentsRequest(course_id=course))
    assert not listed.enrolments
    with pytest.raises(hito.NotFound):
        await other.courses.accept_enrolment(v1.AcceptEnrolmentRequest(course_id=course))


async def test_a_direct_enrolment_says_who_made_it_and_can_be_left(
    server, ines, ana, admin, connect
):
    teacher, learner, root = [await connect(server, one) for one in (ines, ana, admin)]
    course = await new_course(teacher)
    made = (await invite(root, course, ana.user_id)).enrolment
    assert made.state == ACTIVE and made.direct and made.changed_by == admin.user_id
    shown = await learner.courses.get_course(v1.GetCourseRequest(course_id=course))
    assert shown.enrolment == made
    await learner.courses.decline_enrolment(v1.DeclineEnrolmentRequest(course_id=course))
    assert [place.state for place in await places(learner, course, LEFT)] == [LEFT]
    # The learner's own no is not undone by the next synchronization.
    assert (await invite(root, course, ana.user_id)).enrolment.state == INVITED
