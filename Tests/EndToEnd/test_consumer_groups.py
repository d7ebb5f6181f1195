"""Consumer groups: every event at least once, in order where that is promised, through crashes."""

from __future__ import annotations

import asyncio
import signal
from typing import List

import groups
import pytest
from history import eventually, read_all
from hito import v1

import hito

GOALS = v1.EventFilter(types=["goal.created"])


async def goals(client: hito.Client, count: int) -> List[str]:
    made = await asyncio.gather(
        *(client.goals.create_goal(v1.CreateGoalRequest(title=f"Meta {n}")) for n in range(count))
    )
    for reply in made:
        # It has its place in the log.
        await client.events.read_events(v1.ReadEventsRequest(min_cursor=reply.receipt.cursor))
    return [reply.goal.id for reply in made]


def titled(goal: str, title: str) -> v1.UpdateGoalRequest:
    request = v1.UpdateGoalRequest(goal_id=goal, goal=v1.Goal(title=title))
    request.update_mask.paths.append("title")
    return request


@pytest.fixture
async def service(server, connect):
    """A service with a client, which sees everybody's events."""
    return await connect(server, server.join("Servicio", "service"))


def own(login) -> v1.EventFilter:
    return v1.EventFilter(user_ids=[login.user_id], types=["goal.*"])


async def drained(client: hito.Client, name: str) -> bool:
    group = await groups.status(client, name)
    return group.state == v1.GroupState.GROUP_STATE_CAUGHT_UP


async def test_several_consumers_share_the_events_and_each_comes_once(server, connect, ana, service):
    name = await groups.make(service, own(ana))
    client = await connect(server, ana)
    await goals(client, 30)
    workers = [groups.Worker(service, name, f"w{n}", delay=0.01) for n in range(3)]
    later = await goals(client, 30)
    await eventually("all settled", lambda: drained(service, name))
    log = await read_all(client, own(ana))
    assert len(log) == 60 and later[0] in {event.entity_id for event in log}
    await eventually("their answers", lambda: answered(workers, 60))
    groups.settled_once([item for worker in workers for item in worker.done], log)
    assert all(len(worker.done) > 3 for worker in workers), "one had all the work"
    assert (await groups.status(service, name)).consumer_count == 3
    for worker in workers:
        await worker.close()
    await eventually("them to be gone", lambda: consumers(service, name, 0))


async def answered(workers, count: int) -> bool:
    return sum(len(worker.done) for worker in workers) >= count


async def consumers(client, name: str, count: int) -> bool:
    return (await groups.status(client, name)).consumer_count == count


async def test_events_of_an_entity_come_one_at_a_time_and_in_order(server, connect, ana, service):
    name = await groups.make(service, own(ana), strategy=groups.PINNED)
    client = await connect(server, ana)
    ids = await goals(client, 4)
    for title in "abcde":
        await asyncio.gather(
            *(client.goals.update_goal(titled(goal, title)) for goal in ids)
        )
    workers = [groups.Worker(service, name, delay=0.02) for _ in range(3)]
    await eventually("all settled", lambda: drained(service, name))
    await eventually("their answers", lambda: answered(workers, 24))
    work = [item for worker in workers for item in worker.done]
    groups.settled_once(work, await read_all(client, own(ana)))
    groups.in_order_per_entity(work)
    for worker in workers:
        await worker.close()


async def test_a_retried_event_comes_again_and_a_parked_one_when_it_is_replayed(
    server, connect, ana, service
):
    name = await groups.make(service, own(ana), max_attempts=2, retry_delay_us=1000)
    client = await connect(server, ana)
    await goals(client, 3)
    async with service.events.consume_resuming(name) as consumer:
        first = await anext(consumer)
        assert await first.ack() and not await first.ack()
        second = await anext(consumer)
        assert await second.park("no address")
        third = await anext(consumer)
        assert await third.retry(after=0.01, reason="busy")
        again = await anext(consumer)
        assert (again.event.id, again.attempt) == (third.event.id, 2)
        assert await again.retry(reason="busy")
    # The last attempt was over.
    found = await groups.parked(service, name)
    assert [(event.event_id, event.reason) for event in found] == [
        (second.event.id, "no address"), (third.event.id, "busy"),
    ]  # fmt: skip
    group = await groups.status(service, name)
    assert (group.parked_count, group.waiting_count, group.held_count) == (2, 0, 0)
    assert group.state == v1.GroupState.GROUP_STATE_CAUGHT_UP
    replayed = await service.events.replay_parked(
        v1.ReplayParkedRequest(group=name, event_ids=[second.event.id])
    )
    assert replayed.replayed == 1
    skipped = await service.events.skip_parked(v1.SkipParkedRequest(group=name))
    assert skipped.skipped == 1
    async with service.events.consume_resuming(name) as consumer:
        delivery = await anext(consumer)
        assert (delivery.event.id, delivery.attempt) == (second.event.id, 1)
        assert await delivery.ack()
    assert await groups.parked(service, name) == []


async def test_what_is_not_settled_in_time_goes_to_another_consumer(server, connect, ana, service):
    name = await groups.make(
        service, own(ana), ack_timeout_us=1_000_000, max_attempts=1000
    )
    client = await connect(server, ana)
    await goals(client, 1)
    slow = service.events.consume_resuming(name, auto_extend=False)
    async with slow:
        late = await anext(slow)
        async with service.events.consume_resuming(name, auto_extend=False) as other:
            delivery = await anext(other)
            assert delivery.event.id == late.event.id and delivery.attempt > late.attempt
            assert not await late.ack(), "it was another's"
            assert await delivery.ack()


async def test_an_event_is_kept_for_as_long_as_it_is_worked_on(server, connect, ana, service):
    name = await groups.make(service, own(ana), ack_timeout_us=300_000)
    client = await connect(server, ana)
    await goals(client, 1)
    async with service.events.consume_resuming(name) as consumer:
        delivery = await anext(consumer)
        begun = asyncio.get_running_loop().time()

        async def long_after() -> bool:
            return asyncio.get_running_loop().time() > begun + 1.2

        await eventually("four times its time", long_after)
        assert delivery.is_held and await delivery.ack()


async def test_a_consumer_that_never_settles_has_its_events_parked(server, connect, ana, service):
    name = await groups.make(service, own(ana), ack_timeout_us=100_000, max_attempts=2)
    client = await connect(server, ana)
    await goals(client, 25)
    async with service.events.consume_resuming(name, auto_extend=False) as consumer:

        async def all_parked() -> bool:
            return (await groups.status(service, name)).parked_count == 25

        async def take() -> None:
            async for _ in consumer:
                pass

        taking = asyncio.create_task(take())
        await eventually("all parked", all_parked)
        taking.cancel()
    assert {event.reason for event in await groups.parked(service, name)} == {
        "not settled in time"
    }


async def test_a_group_that_has_parked_too_much_stands_still_and_says_so(
    server, connect, ana, service
):
    name = await groups.make(service, own(ana), parked_max=3, outstanding_max=5)
    client = await connect(server, ana)
    await goals(client, 20)
    async with service.events.consume_resuming(name, buffer_size=1) as consumer:
        for _ in range(3):
            assert await (await anext(consumer)).park("odd")

        async def stands_still() -> bool:
            state = (await groups.status(service, name)).state
            return state == v1.GroupState.GROUP_STATE_PARKED_FULL

        await eventually("it to stand still", stands_still)
        await service.events.skip_parked(v1.SkipParkedRequest(group=name))
        for _ in range(17):
            assert await (await anext(consumer)).ack()
    # A consumer may hold what the group says, and it reads no further.
    await goals(client, 20)
    async with service.events.consume_resuming(name, buffer_size=100) as consumer:
        held = [await anext(consumer) for _ in range(5)]

        async def is_full() -> bool:
            state = (await groups.status(service, name)).state
            return state == v1.GroupState.GROUP_STATE_OUTSTANDING_FULL

        await eventually("it to be full", is_full)
        assert len({delivery.event.id for delivery in held}) == 5


async def test_a_consumer_that_reads_nothing_gets_no_more_than_it_asked_for(
    server, connect, ana, service
):
    name = await groups.make(service, own(ana))
    client = await connect(server, ana)
    await goals(client, 30)
    async with service.events.consume_resuming(name, buffer_size=7) as consumer:
        held = [await anext(consumer) for _ in range(7)]
        group = await groups.status(service, name)
        assert group.held_count == 7 and len(held) == 7
        assert await held[0].ack()
        eighth = await anext(consumer)
        assert eighth.event.id not in {delivery.event.id for delivery in held}


async def test_bad_requests_are_refused_by_name(server, connect, ana, service):
    events = service.events
    for change, field in [
        ({"name": "Name"}, "group.name"),
        ({"name": ""}, "group.name"),
        ({"ack_timeout_us": -1}, "group.ack_timeout_us"),
        ({"ack_timeout_us": 3_600_000_001}, "group.ack_timeout_us"),
        ({"max_attempts": 1001}, "group.max_attempts"),
        ({"outstanding_max": 10_001}, "group.outstanding_max"),
        ({"retry_delay_us": 10_000_000, "retry_delay_max_us": 1}, "group.retry_delay_max_us"),
        ({"strategy": 9}, "group.strategy"),
    ]:
        group = v1.ConsumerGroup(**{"name": "bad", **change})
        with pytest.raises(hito.InvalidArgument) as caught:
            await events.create_consumer_group(v1.CreateConsumerGroupRequest(group=group))
        assert [v.field for v in caught.value.details.field_violations] == [field]
    with pytest.raises(hito.InvalidArgument):
        await events.create_consumer_group(
            v1.CreateConsumerGroupRequest(
                group=v1.ConsumerGroup(name="bad"), from_now=True, from_time_us=1
            )
        )
    name = await groups.make(service, GOALS)
    with pytest.raises(hito.AlreadyExists):
        await events.create_consumer_group(
            v1.CreateConsumerGroupRequest(group=v1.ConsumerGroup(name=name))
        )
    with pytest.raises(hito.NotFound):
        async with events.consume_resuming("nowhere") as consumer:
            await anext(consumer)
    # Another service's groups are not there.
    other = await connect(server, server.join("Otro", "service"))
    for call in [
        other.events.get_consumer_group(v1.GetConsumerGroupRequest(name=name)),
        other.events.delete_consumer_group(v1.DeleteConsumerGroupRequest(name=name)),
        other.events.replay_parked(v1.ReplayParkedRequest(group=name)),
        other.events.list_parked_events(v1.ListParkedEventsRequest(group=name)),
        anext(other.events.consume_resuming(name)),
    ]:
        with pytest.raises(hito.NotFound):
            await call
    listed = await other.events.list_consumer_groups(v1.ListConsumerGroupsRequest())
    assert name not in {group.name for group in listed.groups}
    learner = await connect(server, ana)
    with pytest.raises(hito.PermissionDenied):
        await anext(learner.events.consume_resuming(name))


async def raw(client: hito.Client, *requests: v1.ConsumeRequest):
    """A stream of exactly these requests, which stays open behind them."""

    async def outgoing():
        for request in requests:
            yield request
        await asyncio.Event().wait()

    return client.events.consume(outgoing())


def join(group: str, **fields: object) -> v1.ConsumeRequest:
    return v1.ConsumeRequest(join=v1.JoinGroup(group=group, **fields))


async def test_two_consumers_cannot_have_one_name(server, ana, service):
    name = await groups.make(service, own(ana))
    first = await raw(service, join(name, consumer="w", instance="a"))
    assert (await anext(first)).joined.consumer == "w"
    second = await raw(service, join(name, consumer="w", instance="b"))
    with pytest.raises(hito.AlreadyExists) as caught:
        await anext(second)
    reason = v1.ErrorReason.ERROR_REASON_CONSUMER_NAME_TAKEN
    assert caught.value.details.reason == reason
    # The same process comes again, and its old connection has lost its place.
    third = await raw(service, join(name, consumer="w", instance="a"))
    assert (await anext(third)).joined.consumer == "w"
    with pytest.raises(hito.Aborted) as replaced:
        await anext(first)
    assert replaced.value.details.reason == v1.ErrorReason.ERROR_REASON_CONSUMER_REPLACED
    await third.aclose()


async def test_what_was_not_sent_cannot_be_settled(server, connect, ana, service):
    name = await groups.make(service, own(ana))
    unknown = "00000000-0000-4000-8000-000000000000"
    settle = v1.ConsumeRequest(
        settle=v1.Settle(event_ids=[unknown], action=v1.SettleAction.SETTLE_ACTION_ACK)
    )
    stream = await raw(service, join(name), settle, settle)
    assert (await anext(stream)).joined.consumer
    answers: List[str] = []
    while len(answers) < 2:
        settled = (await anext(stream)).settled
        assert not settled.event_ids
        answers.extend(settled.not_held)
    assert answers == [unknown, unknown]
    await stream.aclose()
    for bad, field in [
        (v1.ConsumeRequest(), "settle"),
        (join(name), "settle"),
        (v1.ConsumeRequest(settle=v1.Settle(event_ids=["x"], action=1)), "settle.event_ids[0]"),
        (v1.ConsumeRequest(settle=v1.Settle(action=1)), "settle.event_ids"),
        (v1.ConsumeRequest(settle=v1.Settle(event_ids=[unknown])), "settle.action"),
        (v1.ConsumeRequest(settle=v1.Settle(event_ids=[unknown], action=2, retry_after_us=-1)),
         "settle.retry_after_us"),
    ]:  # fmt: skip
        stream = await raw(service, join(name), bad)
        with pytest.raises(hito.InvalidArgument) as caught:
            async for _ in stream:
                pass
        assert [v.field for v in caught.value.details.field_violations] == [field]
    stream = await raw(service, settle)
    with pytest.raises(hito.InvalidArgument):
        await anext(stream)


async def test_a_deleted_group_sends_its_consumers_away(server, service):
    name = await groups.make(service, GOALS)
    stream = await raw(service, join(name))
    assert (await anext(stream)).joined.consumer
    await service.events.delete_consumer_group(v1.DeleteConsumerGroupRequest(name=name))
    with pytest.raises(hito.NotFound):
        await anext(stream)


async def test_limits_change_while_consumers_work(server, connect, ana, service):
    name = await groups.make(service, own(ana))
    group = await groups.status(service, name)
    group.max_attempts = 3
    changed = await service.events.update_consumer_group(
        v1.UpdateConsumerGroupRequest(group=group, expected_version=1)
    )
    assert (changed.group.version, changed.group.max_attempts) == (2, 3)
    with pytest.raises(hito.Aborted):
        await service.events.update_consumer_group(
            v1.UpdateConsumerGroupRequest(group=group, expected_version=1)
        )


async def test_a_group_begins_where_it_is_told(server, connect, ana, service):
    client = await connect(server, ana)
    await goals(client, 2)
    receipt = (await client.goals.create_goal(v1.CreateGoalRequest(title="Mitad"))).receipt
    log = await read_all(client, own(ana), receipt.cursor)
    now = await groups.make(service, own(ana), from_now=True)
    after = await groups.make(service, own(ana), after_cursor=receipt.cursor)
    times = sorted(event.created_at.ToMicroseconds() for event in log)
    time_us = times[1]
    since = await groups.make(service, own(ana), from_time_us=time_us)
    (last,) = await goals(client, 1)
    for name, count in [(now, 1), (after, 1), (since, 3)]:
        worker = groups.Worker(service, name)
        await eventually("all", lambda worker=worker, count=count: answered([worker], count))
        await eventually("caught up", lambda name=name: drained(service, name))
        assert len(worker.done) == count and worker.done[-1].entity[1] == last
        await worker.close()


async def test_the_command_line_makes_shows_consumes_and_replays(server, connect, ana, admin):
    access = ["--address", server.address, "--ca", server.ca_file, "--token", admin.token]

    def command(*arguments: str) -> str:
        done = server.command("groups", *arguments, *access)
        assert done.returncode == 0, done.stderr
        return done.stdout

    command("create", "by-hand", "--user", ana.user_id, "--type", "goal.*", "--attempts", "1")
    client, root = await connect(server, ana), await connect(server, admin)
    await goals(client, 3)
    async with root.events.consume_resuming("by-hand") as consumer:
        parked = await anext(consumer)
        assert await parked.park("odd")
    assert parked.event.id in await asyncio.to_thread(command, "parked", "by-hand")
    assert "by-hand" in await asyncio.to_thread(command, "list")
    await asyncio.to_thread(command, "replay", "by-hand")
    process = await asyncio.create_subprocess_exec(
        server.program, "groups", "consume", "by-hand", *access,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for _ in range(3):
            async with asyncio.timeout(30):
                assert b"goal.created" in await process.stdout.readline()
        await eventually("all settled", lambda: drained(root, "by-hand"))
        assert "caught up" in await asyncio.to_thread(command, "show", "by-hand")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
    await asyncio.to_thread(command, "delete", "by-hand")
    with pytest.raises(hito.NotFound):
        await groups.status(root, "by-hand")


@pytest.mark.parametrize("strategy", [groups.PINNED, groups.ROUND_ROBIN])
async def test_nothing_is_skipped_when_the_server_is_killed_again_and_again(
    mortal, connect, strategy
):
    login = await asyncio.to_thread(mortal.join, f"Ana-{strategy}")
    keeper = await asyncio.to_thread(mortal.join, "Servicio", "service")
    client, service = await connect(mortal, login), await connect(mortal, keeper)
    name = await groups.make(
        service, own(login), strategy=strategy, max_attempts=1000, ack_timeout_us=2_000_000
    )
    workers = [
        groups.Worker(await connect(mortal, keeper), name, f"w{n}", delay=0.02) for n in range(3)
    ]
    ids = await goals(client, 5)
    for turn in range(3):
        for number in range(4):
            for goal in ids:
                await client.goals.update_goal(titled(goal, f"{turn} {number}"), timeout=60.0)
        mortal.kill()
        await mortal.restart()
    await eventually("all settled", lambda: drained(service, name), seconds=60.0)
    log = await read_all(client, own(login))
    await eventually("their answers", lambda: settled(workers, len(log) - 30))
    work = [item for worker in workers for item in worker.done]
    seen = {item.event_id for item in work}
    assert {event.id for event in log} <= seen, "an event was skipped"
    counts = [item.event_id for item in work if item.is_settled]
    assert len(counts) == len(set(counts)), "an event was settled twice"
    if strategy == groups.PINNED:
        groups.in_order_per_entity(work)
    assert all(worker.interruptions >= 1 for worker in workers)
    for worker in workers:
        await worker.close()


async def settled(workers, count: int) -> bool:
    return sum(item.is_settled for worker in workers for item in worker.done) >= count
