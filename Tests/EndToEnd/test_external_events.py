"""Events of other systems: once, with their own time, wherever events are seen."""

from __future__ import annotations

import asyncio
import datetime
import json
from typing import List

import groups
import lake as lake_files
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from history import Watcher, check, eventually, read_all
from hito import v1

import hito

DAY = datetime.timedelta(days=1)


def event(number: int, user: str = "", **fields: object) -> v1.ExternalEvent:
    values = {
        "type": "external.lesson_read", "source": "lms", "external_id": f"n-{number}",
        "payload_json": json.dumps({"points": number}), "user_id": user, **fields,
    }  # fmt: skip
    return v1.ExternalEvent(**values)  # type: ignore[arg-type]


def at(when: datetime.datetime, **fields: object) -> dict[str, object]:
    message = v1.ExternalEvent()
    message.created_at.FromDatetime(when.astimezone(datetime.timezone.utc).replace(tzinfo=None))
    return {"created_at": message.created_at, **fields}


async def publish(client: hito.Client, *events: v1.ExternalEvent) -> v1.PublishEventsResponse:
    return await client.events.publish_events(v1.PublishEventsRequest(events=events))


@pytest.fixture
async def service(server, connect):
    return await connect(server, server.join("Servicio", "service"))


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


async def test_an_event_of_a_week_ago_is_in_watch_the_lake_and_the_report_of_its_day(
    server, connect, ana, admin, service
):
    learner = await connect(server, ana)
    watcher = Watcher(learner, v1.EventFilter(types=["external.*"]))
    await watcher.caught_up()
    then = now() - 7 * DAY
    made = await publish(
        service, event(1, ana.user_id, source="week", **at(then)), event(2, ana.user_id, source="week")
    )
    assert made.stored == 2
    await watcher.has(2)
    assert [e.id for e in watcher.events] == list(made.event_ids)
    first = watcher.events[0]
    assert first.entity_type == "external" and first.type == "external.lesson_read"
    payload = json.loads(first.payload_json)
    assert payload["data"] == {"points": 1} and payload["external_id"] == "n-1"
    assert first.created_at.ToDatetime(datetime.timezone.utc) == then
    await watcher.close()

    async def counted(days: int) -> int:
        request = v1.GetProductivityRequest(days=days, min_cursor=made.receipt.cursor)
        report = await learner.analytics.get_productivity(request)
        counts = {item.type: item.count for item in report.events_by_type}
        return counts.get("external.lesson_read", 0)

    for _ in range(2):
        # From the log, and then from the lake.
        assert (await counted(30), await counted(3)) == (2, 1)
        root = await connect(server, admin)
        await root.server.flush_lake(v1.FlushLakeRequest())
    rows = await asyncio.to_thread(lake_files.rows, server.lake)
    (row,) = [row for row in rows if row["event_id"] == first.id]
    assert row["created_at"] == then.replace(tzinfo=None)
    day = f"year={then:%Y}/month={then:%m}/day={then:%d}"
    assert list((server.lake / day).glob("external_events*.parquet"))


async def test_an_id_of_a_source_is_stored_once_also_by_many_at_once(service):
    batch = [event(n, source="once") for n in range(20)]
    replies = await asyncio.gather(*(publish(service, *batch) for _ in range(5)))
    assert sum(reply.stored for reply in replies) == 20
    assert len({tuple(reply.event_ids) for reply in replies}) == 1
    log = await read_all(service, v1.EventFilter(types=["external.*"]))
    assert len([e for e in log if e.id in set(replies[0].event_ids)]) == 20
    # The same id of another source is another event.
    other = await publish(service, event(0, source="twice"))
    assert other.stored == 1 and other.event_ids[0] not in replies[0].event_ids


async def test_one_batch_says_the_same_once_and_not_two_things_of_one_id(service):
    same = event(1, source="batch")
    reply = await publish(service, same, event(2, source="batch"), same)
    assert reply.stored == 2 and reply.event_ids[0] == reply.event_ids[2]
    other = event(3, source="batch", payload_json='{"points": 0}')
    with pytest.raises(hito.HitoError):
        await publish(service, event(3, source="batch"), other)
    log = await read_all(service, v1.EventFilter(types=["external.*"]))
    ours = [json.loads(e.payload_json) for e in log]
    assert [p["external_id"] for p in ours if p["source"] == "batch"] == ["n-1", "n-2"]


async def test_numbers_that_no_double_holds_go_through_every_reader(server, connect, service, admin):
    text = '{"large": 1e400, "long": 123456789012345678901234567890, "small": 1e-400, "zero": -0.0}'
    made = await publish(service, event(1, source="numbers", payload_json=text))
    log = await read_all(service, v1.EventFilter(types=["external.*"]), made.receipt.cursor)
    (found,) = [e for e in log if e.id == made.event_ids[0]]
    data = json.loads(found.payload_json, parse_float=str, parse_int=str)["data"]
    assert data["long"] == "123456789012345678901234567890"
    root = await connect(server, admin)
    await root.server.flush_lake(v1.FlushLakeRequest())
    rows = await asyncio.to_thread(lake_files.rows, server.lake)
    assert made.event_ids[0] in {row["event_id"] for row in rows}
    # The same again is known, also as PostgreSQL writes it.
    assert (await publish(service, event(1, source="numbers", payload_json=text))).stored == 0


async def test_another_content_under_a_known_id_is_refused_with_its_batch(service):
    await publish(service, event(1, source="conflict"))
    changed = event(1, source="conflict", payload_json='{"points": 2}')
    with pytest.raises(hito.AlreadyExists) as caught:
        await publish(service, event(7, source="conflict"), changed)
    reason = v1.ErrorReason.ERROR_REASON_EXTERNAL_ID_CONFLICT
    assert caught.value.details.reason == reason
    assert caught.value.details.field_violations[0].field == "events[1].external_id"
    # Nothing of it was stored; spelling is no content.
    again = event(1, source="conflict", payload_json='{ "points" : 1 }')
    reply = await publish(service, event(7, source="conflict"), again)
    assert reply.stored == 1


async def test_events_of_a_subject_are_an_entitys_and_pinned_groups_keep_them_in_order(service):
    name = await groups.make(
        service, v1.EventFilter(types=["external.step"]), strategy=groups.PINNED, from_now=True
    )
    for start in range(0, 60, 20):
        batch = [
            event(n, type="external.step", source="subject", subject=f"lesson/{n % 3}")
            for n in range(start, start + 20)
        ]
        await asyncio.gather(*(publish(service, *batch[k::2]) for k in range(2)))
    workers = [groups.Worker(service, name, delay=0.005) for _ in range(3)]

    async def all_done() -> bool:
        return sum(len(worker.done) for worker in workers) >= 60

    await eventually("all", all_done)
    log = await read_all(service, v1.EventFilter(types=["external.step"]))
    check(log)
    assert len({e.entity_id for e in log}) == 3
    work = [item for worker in workers for item in worker.done]
    groups.settled_once(work, log)
    groups.in_order_per_entity(work)
    for worker in workers:
        await worker.close()


BAD: List[tuple[dict[str, object], str]] = [
    ({"type": "goal.created"}, "type"),
    ({"type": "external.A"}, "type"),
    ({"type": ""}, "type"),
    ({"source": ""}, "source"),
    ({"source": "Ä"}, "source"),
    ({"external_id": ""}, "external_id"),
    ({"external_id": "x" * 201}, "external_id"),
    ({"external_id": "a\u200bb"}, "external_id"),
    ({"subject": "x" * 201}, "subject"),
    ({"user_id": "x"}, "user_id"),
    ({"user_id": "00000000-0000-4000-8000-000000000000"}, "user_id"),
    ({"payload_json": "[]"}, "payload_json"),
    ({"payload_json": "{"}, "payload_json"),
    ({"payload_json": '{"a": "\\u0000"}'}, "payload_json"),
    ({"payload_json": '{"a": ' * 17 + "1" + "}" * 17}, "payload_json"),
    ({"payload_json": json.dumps({"a": "x" * 65_536})}, "payload_json"),
    (at(now() + DAY), "created_at"),
    (at(datetime.datetime(1969, 12, 31, tzinfo=datetime.timezone.utc)), "created_at"),
    ({"created_at": Timestamp(seconds=-62_135_596_800)}, "created_at"),
    ({"created_at": Timestamp(seconds=253_402_300_799, nanos=999_999_999)}, "created_at"),
    ({"created_at": Timestamp(seconds=-(2**63))}, "created_at"),
    ({"created_at": Timestamp(seconds=2**63 - 1)}, "created_at"),
    ({"created_at": Timestamp(seconds=1_700_000_000, nanos=-1)}, "created_at"),
    ({"created_at": Timestamp(seconds=1_700_000_000, nanos=2**31 - 1)}, "created_at"),
    ({"payload_json": '{"\\u0000": 1}'}, "payload_json"),
    ({"payload_json": '{"a": 1e999999}'}, "payload_json"),
    ({"payload_json": '{"a": -1E-1001}'}, "payload_json"),
    ({"payload_json": '{"a": 1e99999999999999999999}'}, "payload_json"),
    # As PostgreSQL writes them, they have a megabyte.
    ({"payload_json": json.dumps({"a": [0] * 1000}).replace("0", "1e1000")}, "payload_json"),
]


@pytest.mark.parametrize(("fields", "field"), BAD)
async def test_a_bad_event_is_refused_by_its_field(service, fields, field):
    with pytest.raises(hito.InvalidArgument) as caught:
        await publish(service, event(1, source="bad"), event(2, **{"source": "bad", **fields}))
    assert caught.value.details.field_violations[0].field == f"events[1].{field}"
    # Nothing of the batch is there: the good one is still new.
    log = await read_all(service, v1.EventFilter(types=["external.*"]))
    assert not [e for e in log if json.loads(e.payload_json)["source"] == "bad"]


@pytest.mark.parametrize("field", ["external_id", "source", "subject", "type", "payload_json"])
async def test_no_text_has_a_nul(service, field):
    # Of a valid event, so that nothing else is wrong with it.
    values = {"type": "external.a", "payload_json": '{"a": ""}', field: "external.a\0b"}
    with pytest.raises(hito.InvalidArgument):
        await publish(service, event(1, source="nul"), event(2, **{"source": "nul", **values}))
    log = await read_all(service, v1.EventFilter(types=["external.*"]))
    assert not [e for e in log if json.loads(e.payload_json)["source"] == "nul"]


async def test_batches_have_bounds(server, connect, ana, service):
    with pytest.raises(hito.InvalidArgument):
        await publish(service)
    with pytest.raises(hito.InvalidArgument):
        await publish(service, *(event(n, source="many") for n in range(501)))
    large = json.dumps({"a": "x" * 60_000})
    with pytest.raises(hito.InvalidArgument):
        await publish(service, *(event(n, payload_json=large) for n in range(18)))
    with pytest.raises(hito.InvalidArgument):
        await publish(service, event(1, payload_json=json.dumps({"a": "x" * (1 << 20)})))
    reply = await publish(service, *(event(n, source="many") for n in range(500)))
    assert reply.stored == 500
    learner = await connect(server, ana)
    with pytest.raises(hito.PermissionDenied):
        await publish(learner, event(1))


async def test_the_place_of_a_time_is_not_moved_by_old_events(server, connect, ana, service):
    learner = await connect(server, ana)
    goal = v1.CreateGoalRequest(title="Antes")
    before = await learner.goals.create_goal(goal)
    old = now() - 400 * DAY
    await publish(
        service, *(event(n, source="old", user=ana.user_id, **at(old)) for n in range(300))
    )
    log = await read_all(learner, v1.EventFilter(types=["goal.*"]), before.receipt.cursor)
    time_us = log[-1].created_at.ToMicroseconds()
    after = await learner.goals.create_goal(v1.CreateGoalRequest(title="Después"))
    request = v1.WatchRequest(from_time_us=time_us)
    seen: List[str] = []
    async for response in learner.progress.watch_resuming(request):
        if response.WhichOneof("step") == "event":
            seen.append(response.event.entity_id)
        if after.goal.id in seen:
            break
    assert before.goal.id in seen
