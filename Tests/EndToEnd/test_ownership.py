"""Another learner's ids, by every path: refused, or answered without a trace of them."""

from __future__ import annotations

import asyncio
from typing import Any, List

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from history import Watcher, eventually, read_all
from hito import v1

import hito
from hito.v1 import analytics_pb2, courses_pb2, events_pb2, goals_pb2, progress_pb2
from hito.v1 import retrieval_pb2, server_pb2, tasks_pb2, users_pb2, validation_pb2

SECRET = "secreto-de-ana"
REFUSED = (hito.NotFound, hito.PermissionDenied)
FILES = (
    analytics_pb2, courses_pb2, events_pb2, goals_pb2, progress_pb2, retrieval_pb2, server_pb2,
    tasks_pb2, users_pb2, validation_pb2,
)  # fmt: skip


class Victim:
    """What Ana has, and what it looked like before the attack."""

    def __init__(self, login, client: hito.Client, made: v1.CreateGoalResponse) -> None:
        self.login, self.client = login, client
        self.goal, self.tasks = made.goal, list(made.tasks)
        self.token_id = ""
        self.values = {
            "user_id": login.user_id, "goal_id": made.goal.id, "task_id": made.tasks[0].id,
            "confirm_user_id": login.user_id, "entity_id": made.goal.id,
        }  # fmt: skip

    async def is_unharmed(self) -> None:
        read = await self.client.goals.get_goal(v1.GetGoalRequest(goal_id=self.goal.id))
        assert read.goal == self.goal and list(read.tasks) == self.tasks
        assert (await self.client.users.get_user(v1.GetUserRequest())).user.active


@pytest.fixture
async def victim(server, ana, connect):
    client = await connect(server, ana)
    made = await client.goals.create_goal(
        v1.CreateGoalRequest(
            title=SECRET, description=SECRET,
            tasks=[v1.NewTask(title=SECRET), v1.NewTask(title=SECRET)],
        )
    )  # fmt: skip
    victim = Victim(ana, client, made)
    tokens = await client.users.list_tokens(v1.ListTokensRequest())
    victim.token_id = victim.values["token_id"] = tokens.tokens[0].id
    return victim


def attacks(client: hito.Client, victim: Victim) -> List[Any]:
    """Well-formed calls that would work for Ana."""
    goal, task, user = victim.goal.id, victim.tasks[0].id, victim.login.user_id
    title = FieldMask(paths=["title"])
    goals, tasks, users = client.goals, client.tasks, client.users
    return [
        goals.get_goal(v1.GetGoalRequest(goal_id=goal)),
        goals.update_goal(
            v1.UpdateGoalRequest(goal_id=goal, goal=v1.Goal(title="x"), update_mask=title)
        ),
        goals.start_goal(v1.StartGoalRequest(goal_id=goal)),
        goals.complete_goal(v1.CompleteGoalRequest(goal_id=goal)),
        goals.archive_goal(v1.ArchiveGoalRequest(goal_id=goal)),
        goals.reopen_goal(v1.ReopenGoalRequest(goal_id=goal)),
        goals.delete_goal(v1.DeleteGoalRequest(goal_id=goal)),
        goals.delete_goal(v1.DeleteGoalRequest(goal_id=goal, expected_version=99)),
        goals.create_goal(v1.CreateGoalRequest(title="x", user_id=user)),
        goals.list_goals(v1.ListGoalsRequest(user_id=user)),
        tasks.create_task(v1.CreateTaskRequest(goal_id=goal, task=v1.NewTask(title="x"))),
        tasks.get_task(v1.GetTaskRequest(task_id=task)),
        tasks.list_tasks(v1.ListTasksRequest(goal_id=goal)),
        tasks.list_tasks(v1.ListTasksRequest(user_id=user)),
        tasks.update_task(
            v1.UpdateTaskRequest(task_id=task, task=v1.GoalTask(title="x"), update_mask=title)
        ),
        tasks.start_task(v1.StartTaskRequest(task_id=task)),
        tasks.complete_task(v1.CompleteTaskRequest(task_id=task)),
        tasks.archive_task(v1.ArchiveTaskRequest(task_id=task)),
        tasks.reopen_task(v1.ReopenTaskRequest(task_id=task)),
        tasks.delete_task(v1.DeleteTaskRequest(task_id=task)),
        tasks.reorder_tasks(
            v1.ReorderTasksRequest(goal_id=goal, task_ids=[t.id for t in victim.tasks[::-1]])
        ),
        users.get_user(v1.GetUserRequest(user_id=user)),
        users.list_users(v1.ListUsersRequest()),
        users.create_user(v1.CreateUserRequest(display_name="x")),
        users.update_user(
            v1.UpdateUserRequest(
                user_id=user, user=v1.User(display_name="x"),
                update_mask=FieldMask(paths=["display_name"]),
            )
        ),
        users.deactivate_user(v1.DeactivateUserRequest(user_id=user)),
        users.create_token(v1.CreateTokenRequest(user_id=user)),
        users.list_tokens(v1.ListTokensRequest(user_id=user)),
        users.revoke_token(v1.RevokeTokenRequest(token_id=victim.token_id)),
        client.analytics.get_productivity(v1.GetProductivityRequest(user_id=user)),
        client.server.flush_lake(v1.FlushLakeRequest()),
        client.server.list_connections(v1.ListConnectionsRequest()),
    ]  # fmt: skip


async def test_every_call_with_another_learner_s_ids_is_refused(server, victim, berta, connect):
    intruder = await connect(server, berta)
    for attack in attacks(intruder, victim):
        with pytest.raises(REFUSED) as caught:
            answer = await attack
            pytest.fail(f"{attack.__qualname__} was answered: {answer}")
        assert SECRET not in str(caught.value), "an error tells what it refuses"
    await victim.is_unharmed()


def filled(message_type: Any, victim: Victim) -> Any:
    """A request with Ana's ids wherever an id fits."""
    request = message_type()
    for field in message_type.DESCRIPTOR.fields:
        if field.type != FieldDescriptor.TYPE_STRING or field.containing_oneof is not None:
            continue
        stem = field.name[:-1] if field.name.endswith("_ids") else field.name
        if stem not in victim.values:
            continue
        if field.name.endswith("_ids"):
            getattr(request, field.name).append(victim.values[stem])
        else:
            setattr(request, field.name, victim.values[stem])
    return request


async def answers(client: hito.Client, method: Any, request: Any, reply: Any) -> List[Any]:
    """What a method of any kind answers, at most a few messages of a stream."""
    from hito._method import Method

    channel = client._channel
    wire_method = Method(f"{method.containing_service.full_name}/{method.name}", "unary", True)

    async def one():
        yield request

    if not method.server_streaming and not method.client_streaming:
        return [await channel.unary(wire_method, request, reply)]
    if not method.server_streaming:
        return [await channel.client_stream(wire_method, one(), reply, timeout=5.0)]
    if method.client_streaming:
        stream = channel.bidi_stream(wire_method, one(), reply, timeout=1.0)
    else:
        stream = channel.server_stream(wire_method, request, reply, timeout=1.0)
    got: List[Any] = []
    async with stream:
        try:
            async for answer in stream:
                got.append(answer)
        except hito.DeadlineExceeded:
            pass
    return got


def contract() -> List[Any]:
    """Every method there is, also those to come, with the types of its request and its reply."""
    names = {
        kind.DESCRIPTOR.full_name: kind for kind in vars(v1).values() if hasattr(kind, "FromString")
    }
    methods = [
        (method, names[method.input_type.full_name], names[method.output_type.full_name])
        for file in FILES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]
    assert len(methods) > 60
    return methods


async def test_no_method_of_the_contract_tells_of_another_learner(
    server, victim, berta, connect
):
    """Filled with Ana's ids."""
    intruder = await connect(server, berta)
    hidden = [SECRET, victim.token_id, *(task.id for task in victim.tasks)]

    async def attack(method: Any, request_type: Any, reply: Any) -> None:
        try:
            for answer in await answers(intruder, method, filled(request_type, victim), reply):
                text = answer.SerializeToString()
                assert not [h for h in hidden if h.encode() in text], method.full_name
        except hito.HitoError as error:
            assert error.code != hito.StatusCode.INTERNAL, f"{method.full_name}: {error}"
            assert SECRET not in str(error)

    await asyncio.gather(*(attack(*method) for method in contract()))
    await victim.is_unharmed()


async def test_logs_and_watches_show_only_one_s_own_events(server, victim, berta, connect):
    intruder = await connect(server, berta)
    filters = [
        None,
        v1.EventFilter(user_ids=[victim.login.user_id]),
        v1.EventFilter(goal_ids=[victim.goal.id]),
        v1.EventFilter(task_ids=[victim.tasks[0].id]),
        v1.EventFilter(types=["goal.*", "task.*"]),
    ]
    watchers = [Watcher(intruder, event_filter) for event_filter in filters]
    try:
        for event_filter in filters:
            try:
                log = await read_all(intruder, event_filter)
            except REFUSED:
                continue
            assert not [e for e in log if e.user_id != berta.user_id]
        await victim.client.tasks.start_task(v1.StartTaskRequest(task_id=victim.tasks[0].id))
        mine = await intruder.goals.create_goal(v1.CreateGoalRequest(title="mía"))

        async def saw_mine() -> bool:
            return mine.goal.id in [e.entity_id for e in watchers[0].events]

        await eventually("Berta's own event", saw_mine)
        for watcher in watchers:
            assert not [e for e in watcher.events if e.user_id != berta.user_id]
    finally:
        for watcher in watchers:
            await watcher.close()
