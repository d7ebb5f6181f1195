"""Users, tokens, courses and enrolments through the public surface."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from history import pages, read_all
from hito import v1

import hito

ACTIVE = v1.CourseStatus.COURSE_STATUS_ACTIVE
ARCHIVED = v1.CourseStatus.COURSE_STATUS_ARCHIVED


async def new_course(client, title="FastAPI", **more):
    made = await client.courses.create_course(v1.CreateCourseRequest(title=title, **more))
    return made.course


async def test_a_user_sees_and_changes_themselves(server, ana, connect):
    client = await connect(server, ana)
    me = (await client.users.get_user(v1.GetUserRequest())).user
    assert me.id == ana.user_id and me.display_name == "Ana" and me.active
    assert me.role == v1.Role.ROLE_LEARNER
    changed = await client.users.update_user(
        v1.UpdateUserRequest(
            user=v1.User(display_name="Ana María", time_zone="Europe/Madrid", language="en"),
            update_mask=FieldMask(paths=["display_name", "time_zone", "language"]),
            expected_version=me.version,
        )
    )
    assert changed.user.display_name == "Ana María"
    assert (changed.user.time_zone, changed.user.language) == ("Europe/Madrid", "en")
    wrong_users = (
        v1.User(time_zone="no zone!", language="es"),
        v1.User(time_zone="UTC", language="xx"),
    )
    for wrong in wrong_users:
        with pytest.raises(hito.InvalidArgument):
            await client.users.update_user(
                v1.UpdateUserRequest(
                    user=wrong, update_mask=FieldMask(paths=["time_zone", "language"])
                )
            )


async def test_admins_make_find_and_shut_out_users(server, admin, connect):
    client = await connect(server, admin)
    made = await client.users.create_user(
        v1.CreateUserRequest(external_id="lms-42", display_name="Carla")
    )
    assert made.user.language == "es" and made.user.role == v1.Role.ROLE_LEARNER
    found = await client.users.get_user(v1.GetUserRequest(external_id="lms-42"))
    assert found.user.id == made.user.id
    with pytest.raises(hito.AlreadyExists):
        await client.users.create_user(
            v1.CreateUserRequest(external_id="lms-42", display_name="Otra")
        )
    listed = [
        user.id
        async for user in pages(
            client.users.list_users, v1.ListUsersRequest(page=v1.PageRequest(page_size=2)), "users"
        )
    ]
    assert made.user.id in listed and len(listed) == len(set(listed))

    token = await client.users.create_token(v1.CreateTokenRequest(user_id=made.user.id))
    carla = await connect(server, admin._replace(token=token.secret))
    assert (await carla.users.get_user(v1.GetUserRequest())).user.id == made.user.id
    out = await client.users.deactivate_user(v1.DeactivateUserRequest(user_id=made.user.id))
    assert not out.user.active
    listed = [
        user.id async for user in pages(client.users.list_users, v1.ListUsersRequest(), "users")
    ]
    assert made.user.id not in listed


async def test_tokens_are_listed_without_their_secret(server, ana, connect):
    client = await connect(server, ana)
    made = await client.users.create_token(v1.CreateTokenRequest(label="portátil"))
    assert made.secret
    listed = await client.users.list_tokens(v1.ListTokensRequest())
    assert [t.label for t in listed.tokens if t.id == made.token.id] == ["portátil"]
    assert made.secret.encode() not in listed.SerializeToString()
    with pytest.raises((hito.PermissionDenied, hito.InvalidArgument)):
        await client.users.create_token(v1.CreateTokenRequest(role=v1.Role.ROLE_ADMIN))
    with pytest.raises(hito.InvalidArgument):
        await client.users.create_token(v1.CreateTokenRequest(lifetime_seconds=367 * 86400))


async def test_a_course_is_made_read_changed_put_away_and_deleted(server, ines, connect):
    client = await connect(server, ines)
    course = await new_course(
        client, technologies=["python", "fastapi"], metadata={"nivel": "inicial"}
    )
    assert course.user_id == ines.user_id and course.status == ACTIVE
    assert list(course.technologies) == ["python", "fastapi"]
    assert dict(course.metadata) == {"nivel": "inicial"}
    changed = await client.courses.update_course(
        v1.UpdateCourseRequest(
            course_id=course.id,
            course=v1.Course(title="FastAPI a fondo"),
            update_mask=FieldMask(paths=["title", "metadata"]),
            expected_version=course.version,
        )
    )
    assert changed.course.title == "FastAPI a fondo" and not changed.course.metadata
    assert list(changed.course.technologies) == ["python", "fastapi"]
    with pytest.raises(hito.Aborted):
        await client.courses.archive_course(
            v1.ArchiveCourseRequest(course_id=course.id, expected_version=course.version)
        )
    away = await client.courses.archive_course(v1.ArchiveCourseRequest(course_id=course.id))
    assert away.course.status == ARCHIVED
    back = await client.courses.reopen_course(v1.ReopenCourseRequest(course_id=course.id))
    assert back.course.status == ACTIVE
    await client.courses.delete_course(v1.DeleteCourseRequest(course_id=course.id))
    with pytest.raises(hito.NotFound):
        await client.courses.get_course(v1.GetCourseRequest(course_id=course.id))


async def test_a_learner_enrols_once_sets_a_goal_and_leaves(server, ines, ana, connect):
    teacher, learner = await connect(server, ines), await connect(server, ana)
    course = await new_course(teacher)
    request = v1.CreateGoalRequest(title="Terminar el curso", course_id=course.id)
    with pytest.raises((hito.FailedPrecondition, hito.PermissionDenied, hito.NotFound)):
        await learner.goals.create_goal(request)

    first = await learner.courses.enrol(v1.EnrolRequest(course_id=course.id))
    again = await learner.courses.enrol(v1.EnrolRequest(course_id=course.id))
    assert first.enrolment.active and again.enrolment.id == first.enrolment.id
    made = await learner.goals.create_goal(request)
    assert made.goal.course_id == course.id
    enrolled = await teacher.courses.list_enrolments(
        v1.ListEnrolmentsRequest(course_id=course.id)
    )
    assert [e.user_id for e in enrolled.enrolments] == [ana.user_id]

    seen = await read_all(
        teacher, v1.EventFilter(course_ids=[course.id]), min_cursor=made.receipt.cursor
    )
    assert "goal.created" in [event.type for event in seen], "the owner sees the course's goals"

    left = await learner.courses.leave(v1.LeaveRequest(course_id=course.id))
    assert not left.enrolment.active
    with pytest.raises(hito.NotFound):
        await learner.courses.leave(v1.LeaveRequest(course_id=course.id))
    await teacher.courses.archive_course(v1.ArchiveCourseRequest(course_id=course.id))
    with pytest.raises(hito.HitoError) as caught:
        await learner.courses.enrol(v1.EnrolRequest(course_id=course.id))
    assert caught.value.code in (
        hito.StatusCode.FAILED_PRECONDITION, hito.StatusCode.NOT_FOUND,
    )  # fmt: skip


async def test_learners_make_no_courses_and_change_none(server, ines, ana, connect):
    teacher, learner = await connect(server, ines), await connect(server, ana)
    course = await new_course(teacher)
    with pytest.raises(hito.PermissionDenied):
        await new_course(learner)
    for attempt in (
        learner.courses.update_course(
            v1.UpdateCourseRequest(
                course_id=course.id,
                course=v1.Course(title="mío"),
                update_mask=FieldMask(paths=["title"]),
            )
        ),
        learner.courses.archive_course(v1.ArchiveCourseRequest(course_id=course.id)),
        learner.courses.delete_course(v1.DeleteCourseRequest(course_id=course.id)),
    ):
        with pytest.raises((hito.PermissionDenied, hito.NotFound)):
            await attempt
    found = await learner.courses.list_courses(v1.ListCoursesRequest())
    assert course.id in [c.id for c in found.courses], "active courses are everybody's to see"


async def test_the_server_says_what_it_is_and_what_it_has(server, connect):
    client = await connect(server)
    info = await client.server.get_server_info(v1.GetServerInfoRequest())
    assert info.protocol == "hito/1" and info.version and info.server_id
    methods = await client.reflection.list_methods(v1.ListMethodsRequest())
    by_path = {method.path: method for method in methods.methods}
    assert by_path["hito.v1.GoalService/CreateGoal"].implemented
    assert by_path["hito.v1.ProgressService/Watch"].kind == "server_stream"
    described = await client.reflection.get_descriptor_set(v1.GetDescriptorSetRequest())
    assert b"CreateGoalRequest" in described.descriptor_set
