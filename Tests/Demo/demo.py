#!/usr/bin/env python3
"""Plays three learners' journeys against a real server in a temporary directory, and verifies it.

A teacher opens a course, a learner makes goals and tasks of its chapters and works through them,
two people watch live, the server is killed (kill -9) in the middle and started again, and a
productivity report closes the day. Then the course's documents are ingested, and another learner has
a goal planned out of them, and a third one has code judged until it is right. Ends with status 0 only
if nothing was missed or doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(REPOSITORY / "clients" / "python" / "src"),
    str(REPOSITORY / "Tests" / "EndToEnd"),
]

import course as courses  # noqa: E402
from hito_server import HitoServer  # noqa: E402
from journey import Journey  # noqa: E402
from student import Student  # noqa: E402
from tutor import Tutor  # noqa: E402
from verify import lake_has_it_all, report_matches_the_notes, verify  # noqa: E402

import hito  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", help="the hito program (default: HITO_BIN or the build's)")
    parser.add_argument("--chapters", type=int, default=6, help="how many chapters to learn")
    arguments = parser.parse_args()
    course = courses.find(max(2, arguments.chapters))
    server = HitoServer(arguments.binary)
    try:
        asyncio.run(play(server, course))
    except AssertionError as error:
        print(f"\n✗ {error}", file=sys.stderr)
        print(server.tail(), file=sys.stderr)
        return 1
    finally:
        server.remove()
    return 0


async def play(server: HitoServer, course: courses.Course) -> None:
    say(f"Starting a server with its own PostgreSQL in {server.folder}")
    began = time.monotonic()
    await server.restart()
    say(f"It takes calls on {server.address} after {time.monotonic() - began:.1f} s")
    journey = Journey(server, course, say)
    try:
        await journey.people_arrive()
        await journey.teacher_opens_the_course()
        await journey.watchers_watch()
        await journey.learner_sets_goals()
        await journey.learner_works()
        title("What was promised")
        await verify(journey, say)
        title("Productivity of the last 30 days")
        await journey.print_report()
        with tempfile.TemporaryDirectory() as folder:
            await report_matches_the_notes(journey, Path(folder), say)
        await play_tutor(server, course, journey.ines)
        await play_student(server)
        await lake_has_it_all(journey, say)
    finally:
        await journey.close()
    status = await asyncio.to_thread(server.stop)
    assert status == 0, f"the server ended with status {status}"
    say("The server drained and ended. All is well.")


async def play_tutor(server: HitoServer, course: courses.Course, teacher: hito.Client) -> None:
    title("A goal out of the course's own documents")
    tutor = Tutor(server, course, say)
    try:
        await tutor.people_arrive(teacher)
        await tutor.course_is_ingested()
        await tutor.learner_has_a_past()
        await tutor.goal_is_generated()
        await tutor.goal_is_found_afterwards()
    finally:
        await tutor.close()


async def play_student(server: HitoServer) -> None:
    title("Code that is judged")
    student = Student(server, say)
    try:
        await student.arrives_with_a_task()
        await student.hands_in_what_is_wrong()
        await student.hands_in_what_is_right()
    finally:
        await student.close()


_began = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - _began:6.1f} s  {text}", flush=True)


def title(text: str) -> None:
    print(f"\n── {text} " + "─" * max(0, 70 - len(text)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
