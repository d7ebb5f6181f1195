"""Traces and metrics to a collector: what it is sent, and that nobody waits for it."""

from __future__ import annotations

import json
import re
import time

import pytest
from collector import Collector, plain
from hito_server import HitoServer, waiting
from ports import lasting_port

from hito import v1

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def collector():
    made = Collector()
    yield made
    made.stop()


@pytest.fixture
def traced(collector):
    """A server that sends to the collector."""
    server = HitoServer()
    server.options += ["--otlp-endpoint", collector.url, "--otlp-interval", "0.5"]
    try:
        server.start()
        yield server
        if server.is_running:
            assert server.stop() == 0, server.tail()
    finally:
        server.remove()


def spans_of(collector: Collector, trace: str):
    return [span for span in collector.spans() if span["traceId"] == trace]


async def write(server, title: str, **options):
    async with await server.connect(server.admin()) as client:
        return await client.goals.create_goal(v1.CreateGoalRequest(title=title), **options)


async def events_of(server, reply):
    """The metadata of a new goal's events."""
    request = v1.ReadEventsRequest(
        filter=v1.EventFilter(goal_ids=[reply.goal.id]), min_cursor=reply.receipt.cursor
    )
    async with await server.connect(server.admin()) as client:
        found = await client.events.read_events(request)
    return [json.loads(event.metadata_json) for event in found.events]


async def test_a_trace_goes_from_the_client_through_the_call_to_its_events(traced, collector):
    reply = await write(traced, "Traced", traceparent=TRACEPARENT, metadata={"tracestate": "vendor=1"})
    for _ in waiting(20, "the span"):
        spans = spans_of(collector, TRACE)
        if spans:
            break
    assert len(spans) == 1
    span = spans[0]
    assert span["parentSpanId"] == PARENT and span["traceState"] == "vendor=1"
    assert re.fullmatch("[0-9a-f]{16}", span["spanId"]) and span["spanId"] != PARENT
    assert span["name"] == "hito.v1.GoalService/CreateGoal" and span["kind"] == 2
    start, end = span["startTimeUnixNano"], span["endTimeUnixNano"]
    assert isinstance(start, str) and abs(int(start) / 1e9 - time.time()) < 300
    assert int(start) <= int(end)
    attributes = plain(span["attributes"])
    assert attributes["rpc.system"] == "hito" and attributes["rpc.method"] == "CreateGoal"
    assert span["resource"]["service.name"] == "hito" and span["resource"]["service.instance.id"]
    events = await events_of(traced, reply)
    assert events
    for event in events:
        # Below the server's span: what the event leads to continues there.
        assert event["traceparent"] == f"00-{TRACE}-{span['spanId']}-01"
        assert event["tracestate"] == "vendor=1"


async def test_metrics_are_pushed_with_the_same_numbers_as_the_server_says(traced, collector):
    for number in range(5):
        await write(traced, f"Goal {number}")
    for _ in waiting(20, "the metrics"):
        calls = collector.metrics().get("hito_rpc_calls_total", {"sum": {"dataPoints": []}})["sum"]
        counted = {
            (plain(point["attributes"])["method"], plain(point["attributes"])["status"]): point
            for point in calls["dataPoints"]
        }
        made = counted.get(("hito.v1.GoalService/CreateGoal", "OK"), {"asDouble": 0})
        if made["asDouble"] == 5:
            break
    assert calls["isMonotonic"] is True and calls["aggregationTemporality"] == 2
    assert isinstance(made["timeUnixNano"], str)
    assert int(made["startTimeUnixNano"]) < int(made["timeUnixNano"])
    histogram = collector.metrics()["hito_rpc_call_duration_seconds"]["histogram"]
    assert histogram["aggregationTemporality"] == 2
    for point in histogram["dataPoints"]:
        assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
        assert sum(map(int, point["bucketCounts"])) == int(point["count"])
    assert collector.metrics()["hito_connections"]["gauge"]["dataPoints"][0]["asDouble"] >= 0


async def test_a_collector_that_says_later_gets_everything_in_the_end(traced, collector):
    collector.statuses += [503, 429, 503]
    await write(traced, "Later", traceparent=TRACEPARENT)
    for _ in waiting(30, "the span"):
        if spans_of(collector, TRACE):
            break
    assert not collector.statuses


async def test_nobody_waits_for_a_collector_that_hangs(traced, collector):
    collector.hangs.set()
    await write(traced, "Before")
    for _ in waiting(20, "a request that hangs"):
        if collector.hung:
            break
    began = time.monotonic()
    async with await traced.connect(traced.admin()) as client:
        for number in range(50):
            await client.goals.create_goal(v1.CreateGoalRequest(title=f"Goal {number}"))
    assert time.monotonic() - began < 20, "a call costs milliseconds"
    began = time.monotonic()
    assert traced.stop() == 0, traced.tail()
    assert time.monotonic() - began < 25, "what cannot be sent is given up"


async def test_a_collector_that_is_away_is_said_once_and_found_again():
    port = lasting_port()
    server = HitoServer()
    server.options += ["--otlp-endpoint", f"http://127.0.0.1:{port}/", "--otlp-interval", "0.5"]
    try:
        server.start()
        for _ in waiting(20, "the line that it is away"):
            if "sending to the collector" in server.log.read_text():
                break
        await write(server, "Away", traceparent=TRACEPARENT)
        collector = Collector(port)
        try:
            for _ in waiting(40, "the span"):
                if spans_of(collector, TRACE):
                    break
            lines = [
                line for line in server.log.read_text().splitlines()
                if "sending to the collector" in line
            ]  # fmt: skip
            assert len(lines) <= 4, lines
            # What ends last is sent as well.
            await write(server, "Last", traceparent=TRACEPARENT.replace("0af7", "1af7"))
            assert server.stop() == 0, server.tail()
            assert spans_of(collector, TRACE.replace("0af7", "1af7"))
        finally:
            collector.stop()
    finally:
        server.remove()


async def test_without_a_collector_events_have_the_client_s_own_context(server):
    reply = await write(server, "Plain", traceparent=TRACEPARENT)
    assert [event["traceparent"] for event in await events_of(server, reply)] == [TRACEPARENT]


def test_what_is_no_address_of_a_collector_is_refused(server):
    for text in ("collector:4318", "ftp://a", "http://", "http://a?b", "http://user@host/"):
        found = server.command("serve", "--data-dir", str(server.folder / "x"), "--otlp-endpoint", text)
        assert found.returncode == 64 and "otlp-endpoint" in found.stderr, found.stderr
