"""A course of thousands: its copies for those enrolled survive kill -9 in the middle."""

from __future__ import annotations

import asyncio

from google.protobuf.field_mask_pb2 import FieldMask
from psql import Session

from hito import v1

LEARNERS = 3000


async def until(session: Session, query: str, answer: str, seconds: float = 120.0) -> None:
    async with asyncio.timeout(seconds):
        while await session.run(query) != [answer]:
            await asyncio.sleep(0.02)


async def test_whatever_a_killed_server_left_is_copied_by_the_next(mortal, connect):
    ines = await connect(mortal, await asyncio.to_thread(mortal.join, "Inés", "instructor"))
    made = await ines.courses.create_course(v1.CreateCourseRequest(title="Curso de muchos"))
    course = made.course.id
    session = await Session.open(mortal)
    await session.run(
        f"""
        INSERT INTO users (id, display_name, role, language, time_zone, is_active, version,
          created_at, updated_at)
        SELECT gen_random_uuid(), 'Ada ' || i, 'learner', 'es', 'UTC', true, 1, now(), now()
        FROM generate_series(1, {LEARNERS}) i;
        INSERT INTO enrolments (id, course_id, user_id, is_active, version, created_at, updated_at)
        SELECT gen_random_uuid(), '{course}', id, true, 1, now(), now() FROM users
        WHERE role = 'learner';
        """
    )
    copies = f"SELECT count(*) FROM embeddings WHERE is_copy AND entity_id = '{course}'"
    await ines.courses.update_course(
        v1.UpdateCourseRequest(
            course_id=course,
            course=v1.Course(title="Curso de muchísimos"),
            update_mask=FieldMask(paths=["title"]),
        )
    )
    await until(session, f"SELECT ({copies}) > 0;", "t")
    mortal.kill()
    # PostgreSQL lives on: what the killed server had not committed is rolled back.
    before = int((await session.run(f"{copies};"))[0])
    waiting = "SELECT count(*) FROM course_copies;"
    assert before < LEARNERS and await session.run(waiting) == ["1"]
    await mortal.restart()
    session = await Session.open(mortal)
    await until(session, waiting, "0")
    assert await session.run(f"{copies} AND content LIKE '%muchísimos%';") == [str(LEARNERS)]
    await session.close()
