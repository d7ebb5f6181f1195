"""Both clients against the real server that HITO_BINARY names: what the scripted peer cannot tell."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import threading
import uuid

import pytest
import readme

import hito
import hito.frames
import hito.sync
from hito import v1

REPOSITORY = readme.CLIENT.parents[1]
pytestmark = pytest.mark.skipif(
    not os.environ.get("HITO_BINARY"), reason="HITO_BINARY names no server"
)


@pytest.fixture(scope="module", name="server")
def _server():
    sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))
    try:
        from hito_server import HitoServer
    finally:
        sys.path.pop(0)
    running = HitoServer()
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module", name="ana")
def _ana(server):
    return server.join("Ana")


def connect(server, login, **options):
    options.setdefault("token", login.token)
    return hito.sync.Client.connect(
        server.address, ca_file=server.ca_file, wait_for_connect=True, timeout=60.0, **options
    )


def test_the_examples_of_the_readme_print_what_stands_there(server, ana):
    functions, examples = readme.functions(), readme.examples()
    assert len(examples) >= 10

    async def run(example):
        async with await server.connect(ana) as client, await server.connect(server.admin()) as admin:
            given = {
                "client": client, "admin": admin, "address": server.address, "ca_file": server.ca_file,
                "token": ana.token, "user_id": ana.user_id,
            }  # fmt: skip
            async with asyncio.timeout(60):
                await functions[example.name](*(given[name] for name in example.takes))

    for example in examples:
        printed = io.StringIO()
        print(example.code)  # For whoever reads how it failed.
        with contextlib.redirect_stdout(printed):
            asyncio.run(run(example))
        for text in example.expected:
            assert text in printed.getvalue(), example.code


def test_a_journey(server, ana):
    with connect(server, ana) as client:
        made = client.goals.create_goal(
            v1.CreateGoalRequest(title="Viaje", tasks=[v1.NewTask(title="1"), v1.NewTask(title="2")])
        )
        done = client.tasks.complete_task(v1.CompleteTaskRequest(task_id=made.tasks[0].id))
        assert done.goal.progress_percentage == 50.0
        with connect(server, ana) as other:
            request = v1.GetGoalRequest(goal_id=made.goal.id, min_cursor=done.receipt.cursor)
            assert other.goals.get_goal(request).goal.progress_percentage == 50.0
        report = client.analytics.get_productivity(v1.GetProductivityRequest(min_cursor=done.receipt.cursor))
        frames = hito.frames.productivity(report)
        counts = frames.events_by_type.set_index("type")["count"]
        assert counts["task.completed"] == frames.summary["tasks_completed"][0] >= 1


def test_errors_are_typed(server, ana):
    with connect(server, ana) as client:
        with pytest.raises(hito.InvalidArgument) as caught:
            client.goals.create_goal(v1.CreateGoalRequest(title=""))
        assert caught.value.reason == v1.ErrorReason.ERROR_REASON_INVALID_FIELD
        assert [violation.field for violation in caught.value.details.field_violations] == ["title"]
        with pytest.raises(hito.NotFound):
            client.goals.get_goal(v1.GetGoalRequest(goal_id=str(uuid.uuid4())))
        with pytest.raises(hito.PermissionDenied):
            client.users.list_users(v1.ListUsersRequest())
    with connect(server, ana, token="no-such-token") as client:
        with pytest.raises(hito.Unauthenticated):
            client.goals.list_goals(v1.ListGoalsRequest())


def test_a_wrong_certificate_and_a_wrong_name_are_refused(server, ana, certificates):
    with pytest.raises(hito.Unavailable, match="certificate refused"):
        hito.sync.Client.connect(server.address, ca_file=certificates.ca_file, token=ana.token)
    with pytest.raises(hito.Unavailable, match="certificate refused"):
        hito.sync.Client.connect(server.address, ca_file=server.ca_file, server_name="other.example")


def test_the_four_kinds_of_calls(server, ana):
    teacher = server.join("Tea", "instructor")
    group = f"group-{uuid.uuid4()}"
    with connect(server, teacher) as client, connect(server, server.admin()) as admin:
        course = client.courses.create_course(v1.CreateCourseRequest(title="Git")).course
        text = b"# Commits\n\nUn commit guarda el estado."
        taken = client.courses.ingest_documents([
            v1.IngestDocumentsRequest(start=v1.IngestStart(course_id=course.id)),
            *(v1.IngestDocumentsRequest(document=v1.CourseDocument(
                path=f"{number}.md", format="DOCUMENT_FORMAT_MARKDOWN", content=text)) for number in range(3)),
        ])  # fmt: skip
        assert taken.ByteSize() > 0
        listed = client.courses.list_documents(v1.ListDocumentsRequest(course_id=course.id))
        assert len(listed.documents) == 3
        start = next(iter(client.progress.watch(v1.WatchRequest(from_beginning=True))))
        assert start.cursor
        admin.events.create_consumer_group(
            v1.CreateConsumerGroupRequest(group=v1.ConsumerGroup(name=group), from_now=True)
        )
        created = client.goals.create_goal(v1.CreateGoalRequest(title="Para el grupo"))
        with admin.events.consume_resuming(group) as consumer:
            for delivery in consumer:
                assert delivery.ack()
                if delivery.event.entity_id == created.goal.id:
                    break
        assert admin.events.get_consumer_group(v1.GetConsumerGroupRequest(name=group)).group.name == group


def test_deadlines_and_cancelling(server, ana):
    with connect(server, ana) as client:
        with pytest.raises(hito.DeadlineExceeded):
            client.goals.list_goals(v1.ListGoalsRequest(), timeout=0.00001)
        live = client.progress.watch(v1.WatchRequest(), timeout=1.0)
        assert next(live).WhichOneof("step") == "mark"
        with pytest.raises(hito.DeadlineExceeded):
            for _ in live:
                pass
        stream = client.progress.watch(v1.WatchRequest())
        next(stream)
        threading.Timer(0.2, stream.close).start()
        with pytest.raises(hito.CancelledCall):
            for _ in stream:
                pass


def test_a_repeat_under_the_same_key_has_no_second_effect(server, ana):
    key = str(uuid.uuid4())
    with connect(server, ana) as client:
        first = client.goals.create_goal(v1.CreateGoalRequest(title="Una vez"), idempotency_key=key)
        again = client.goals.create_goal(v1.CreateGoalRequest(title="Una vez"), idempotency_key=key)
        assert again.goal == first.goal and again.receipt.replayed and not first.receipt.replayed


def test_a_revoked_token_is_replaced(server, ana):
    made = []
    with connect(server, server.admin()) as admin:

        def provider():
            request = v1.CreateTokenRequest(user_id=ana.user_id, lifetime_seconds=3600)
            made.append(admin.users.create_token(request))
            return hito.Token(made[-1].secret, valid_for=3600)

        with connect(server, ana, token="", token_provider=provider) as client:
            user = client.users.get_user(v1.GetUserRequest()).user
            assert (user.id, len(made)) == (ana.user_id, 1)
            admin.users.revoke_token(v1.RevokeTokenRequest(token_id=made[0].token.id))
            for _ in range(400):
                client.goals.list_goals(v1.ListGoalsRequest())
                if len(made) > 1:
                    break
                threading.Event().wait(0.05)
            assert len(made) == 2, "the calls never failed, and one new token was made"


def test_a_watch_goes_on_over_kill_9(server, ana):
    """The last: the server is another one behind it."""
    seen, titles = [], [f"Paso {number}" for number in range(6)]
    with connect(server, ana) as client:
        start = client.goals.create_goal(v1.CreateGoalRequest(title="Antes")).receipt.cursor

        def watch():
            with client.progress.watch_resuming(v1.WatchRequest(after_cursor=start)) as stream:
                for step in stream:
                    if step.event.type == "goal.created":
                        seen.append(step.event.entity_id)
                    if len(seen) == len(titles):
                        interruptions.append(stream.interruptions)
                        return

        interruptions = []
        watching = threading.Thread(target=watch)
        watching.start()
        made = []
        for number, title in enumerate(titles):
            if number == 3:
                server.kill()
                restarting = threading.Thread(target=server.start)
                restarting.start()
            made.append(client.goals.create_goal(v1.CreateGoalRequest(title=title), timeout=90.0).goal.id)
        restarting.join(90)
        watching.join(90)
    assert seen == made, "nothing lost, nothing twice, in order"
    assert interruptions and interruptions[0] >= 1
