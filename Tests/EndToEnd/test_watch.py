"""Subscriptions: where they start, what they let through, what they say of themselves."""

from __future__ import annotations

import asyncio
import time

import pytest
from history import Watcher, check, ids, read_all
from hito import v1

import hito

CAUGHT_UP = v1.SubscriptionMark.SUBSCRIPTION_MARK_CAUGHT_UP
CHECKPOINT = v1.SubscriptionMark.SUBSCRIPTION_MARK_CHECKPOINT


async def goals(client, count: int, tasks: int = 0):
    made = []
    for number in range(count):
        request = v1.CreateGoalRequest(
            title=f"Meta {number}", tasks=[v1.NewTask(title="Paso")] * tasks
        )
        made.append(await client.goals.create_goal(request))
    return made


async def collect(client, request: v1.WatchRequest, count: int):
    """The first `count` events and the marks among them."""
    events, marks = [], []
    async with asyncio.timeout(30):
        async with client.progress.watch_resuming(request) as watch:
            while len(events) < count:
                response = await watch.__anext__()
                if response.HasField("event"):
                    events.append(response.event)
                else:
                    marks.append(response)
    return events, marks


async def test_a_watch_without_a_start_is_live_only(server, ana, connect):
    client = await connect(server, ana)
    await goals(client, 3)
    async with client.progress.watch_resuming(v1.WatchRequest()) as watch:
        first = await asyncio.wait_for(watch.__anext__(), 30)
        assert first.mark == CAUGHT_UP and first.cursor
        [made] = await goals(client, 1)
        second = await asyncio.wait_for(watch.__anext__(), 30)
        assert second.event.entity_id == made.goal.id


async def test_a_live_watch_leaves_out_whatever_was_acknowledged_before_it(server, ana, connect):
    client = await connect(server, ana)
    for _ in range(30):
        # The watch begins as soon as the write is acknowledged, which may have no position yet.
        [before] = await goals(client, 1)
        async with client.progress.watch_resuming(v1.WatchRequest()) as watch:
            async with asyncio.timeout(30):
                first = await watch.__anext__()
                assert first.mark == CAUGHT_UP, first
                [after] = await goals(client, 1)
                assert (await watch.__anext__()).event.entity_id == after.goal.id


async def test_a_watch_from_a_time_to_come_sends_nothing_of_now(server, ana, connect):
    client = await connect(server, ana)
    await goals(client, 2)
    start = int((time.time() + 3) * 1_000_000)
    async with client.progress.watch_resuming(v1.WatchRequest(from_time_us=start)) as watch:
        async with asyncio.timeout(30):
            assert (await watch.__anext__()).mark == CAUGHT_UP
            await goals(client, 1)
            await asyncio.sleep(max(0, start / 1_000_000 - time.time()) + 0.1)
            [made] = await goals(client, 1)
            assert (await watch.__anext__()).event.entity_id == made.goal.id


async def test_a_watch_starts_behind_any_cursor(server, ana, connect):
    client = await connect(server, ana)
    made = await goals(client, 6)
    log = await read_all(client, min_cursor=made[-1].receipt.cursor)
    for index in range(len(log) - 1):
        request = v1.WatchRequest(after_cursor=log[index].cursor)
        events, _ = await collect(client, request, len(log) - index - 1)
        assert ids(events) == ids(log[index + 1 :])


async def test_a_watch_starts_at_a_time(server, ana, connect):
    client = await connect(server, ana)
    made = await goals(client, 4)
    log = await read_all(client, min_cursor=made[-1].receipt.cursor)
    start = log[-2].created_at
    micros = start.seconds * 1_000_000 + start.nanos // 1000
    expected = [
        e for e in log
        if e.created_at.seconds * 1_000_000 + e.created_at.nanos // 1000 >= micros
    ]  # fmt: skip
    events, _ = await collect(client, v1.WatchRequest(from_time_us=micros), len(expected))
    assert ids(events) == ids(expected)


async def test_filters_hold_together(server, ana, connect):
    client = await connect(server, ana)
    first, second = await goals(client, 2, tasks=2)
    done = await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=first.tasks[0].id))
    log = await read_all(client, min_cursor=done.receipt.cursor)

    async def through(event_filter: v1.EventFilter):
        expected = [e for e in log if matches(e, event_filter, first)]
        assert expected
        page = await read_all(client, event_filter)
        assert ids(page) == ids(expected)
        request = v1.WatchRequest(filter=event_filter, from_beginning=True)
        events, _ = await collect(client, request, len(expected))
        assert ids(events) == ids(expected)

    await through(v1.EventFilter(types=["task.*"]))
    await through(v1.EventFilter(types=["goal.created", "task.completed"]))
    await through(v1.EventFilter(goal_ids=[first.goal.id]))
    await through(v1.EventFilter(task_ids=[first.tasks[0].id]))
    await through(v1.EventFilter(goal_ids=[first.goal.id], types=["task.*"]))
    await through(v1.EventFilter(user_ids=[ana.user_id], types=["goal.created"]))


def matches(event, event_filter, first) -> bool:
    kinds = [t[:-1] for t in event_filter.types if t.endswith("*")]
    by_type = event.type in event_filter.types or event.type.startswith(tuple(kinds))
    of_first = event.entity_id in [first.goal.id, *(task.id for task in first.tasks)]
    return (
        (not event_filter.types or by_type)
        and (not event_filter.goal_ids or of_first)
        and (not event_filter.task_ids or event.entity_id in event_filter.task_ids)
    )


async def test_a_filter_that_lets_nothing_through_still_moves_on(server, ana, connect):
    client = await connect(server, ana)
    made = await goals(client, 12)
    await client.events.read_events(v1.ReadEventsRequest(min_cursor=made[-1].receipt.cursor))
    request = v1.WatchRequest(
        filter=v1.EventFilter(types=["course.deleted"]), from_beginning=True, checkpoint_interval=5
    )
    seen = []
    async with asyncio.timeout(30):
        async with client.progress.watch_resuming(request) as watch:
            while CAUGHT_UP not in seen:
                response = await watch.__anext__()
                assert response.cursor and not response.HasField("event")
                seen.append(response.mark)
    assert CHECKPOINT in seen


@pytest.mark.parametrize(
    "event_filter",
    [
        v1.EventFilter(goal_ids=["no id"]),
        v1.EventFilter(types=["x" * 500]),
        v1.EventFilter(types=["goal.created"] * 101),
    ],
)
async def test_a_filter_that_is_none_is_refused(server, ana, connect, event_filter):
    client = await connect(server, ana)
    with pytest.raises(hito.InvalidArgument):
        await client.progress.watch(v1.WatchRequest(filter=event_filter)).__anext__()


async def test_twenty_watchers_see_the_same_in_the_same_order(server, ana, connect):
    clients = [await connect(server, ana) for _ in range(2)]
    watchers = [Watcher(clients[n % 2]) for n in range(20)]
    try:
        made = await goals(clients[0], 15, tasks=3)
        log = await read_all(clients[0], min_cursor=made[-1].receipt.cursor)
        check(log)
        for watcher in watchers:
            await watcher.has(len(log))
            assert ids(watcher.events) == ids(log)
    finally:
        for watcher in watchers:
            await watcher.close()


async def test_a_cursor_of_the_future_is_out_of_range_or_waits(server, ana, connect):
    client = await connect(server, ana)
    [made] = await goals(client, 1)
    refusals = (hito.OutOfRange, hito.NotFound, hito.InvalidArgument, hito.DeadlineExceeded)
    with pytest.raises(refusals):
        await client.goals.get_goal(
            v1.GetGoalRequest(
                goal_id=made.goal.id, min_cursor="01890000-0000-7000-8000-000000000000"
            ),
            timeout=3.0,
        )
