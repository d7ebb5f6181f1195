"""A server that goes away: what is running may end, what would not is told where to continue."""

from __future__ import annotations

import asyncio
import signal
import struct
import threading
from typing import Iterator

import pytest
from hito import v1
from hito_server import HitoServer, waiting
from learning import Person, join
from model_steps import GOOD, hangs, slow
from raw_peer import CALL, END, FLAG_END, FLAG_HAS_MESSAGE, GOAWAY, MESSAGE, PING, PONG, RawPeer
from raw_peer import call_block, is_closed, parse_end, tcp
from scripted_model import ScriptedModel

WATCH = "hito.v1.ProgressService/Watch"
INGEST = "hito.v1.CourseService/IngestDocuments"
GENERATE = "hito.v1.GoalService/GenerateGoal"
LIST = "hito.v1.GoalService/ListGoals"
DRAINING = v1.ErrorReason.ERROR_REASON_DRAINING
UNAVAILABLE = 14
NO_ERROR = 0


@pytest.fixture
def leaving(provider: ScriptedModel) -> Iterator[HitoServer]:
    """A server that each test tells to end."""
    running = HitoServer(
        environment={"HITO_MODEL_URL": provider.url, "HITO_MODEL": "scripted"}
    )
    running.options += ["--grace", "20"]
    try:
        running.start()
        yield running
    finally:
        running.remove()


def drain(server: HitoServer) -> None:
    server.signal(signal.SIGTERM)


async def ended(server: HitoServer) -> None:
    """Waits for the end of the process, which is less than its grace away. Clients work meanwhile: the
    server waits for those that do not close their side."""

    def wait() -> None:
        for _ in waiting(15, "the server to end"):
            if not server.is_running:
                break

    await asyncio.to_thread(wait)
    assert server._process is not None and server._process.returncode == 0, server.tail()


def frames(peer: RawPeer, until: int, stream: int):
    """Frames up to one of a kind on a stream, answering the server's PING."""
    while True:
        frame = peer.frame()
        if frame.kind == PING:
            peer.send(PONG, 0, 0, frame.payload)
        yield frame
        if frame.kind == until and frame.stream == stream:
            return


def second_goaway(peer: RawPeer) -> None:
    count = 0
    while count < 2:
        frame = peer.frame()
        if frame.kind == PING:
            peer.send(PONG, 0, 0, frame.payload)
        assert frame.kind != END, parse_end(frame, b"")
        count += frame.kind == GOAWAY


async def test_documents_on_their_way_arrive(leaving, connect):
    teacher = await join(leaving, connect, "Ines", "instructor")
    made = await teacher.client.courses.create_course(v1.CreateCourseRequest(title="Curso"))
    with RawPeer(leaving, teacher.login.token, seconds=30) as peer:
        start = v1.IngestDocumentsRequest(start=v1.IngestStart(course_id=made.course.id))
        peer.send(
            CALL, FLAG_HAS_MESSAGE, 1, call_block(INGEST) + start.SerializeToString()
        )
        peer.send(MESSAGE, 0, 1, document("uno.md"))
        drain(leaving)
        second_goaway(peer)
        peer.send(MESSAGE, FLAG_END, 1, document("dos.md"))
        reply = peer.end(1)
        assert reply.status == 0, reply
        response = v1.IngestDocumentsResponse.FromString(reply.message)
        assert response.documents_received == response.documents_changed == 2
    await ended(leaving)


def document(path: str) -> bytes:
    content = f"# {path}\n\nUn texto.".encode()
    message = v1.CourseDocument(path=path, content=content)
    return v1.IngestDocumentsRequest(document=message).SerializeToString()


async def test_a_goal_that_is_being_generated_is_finished(leaving, connect, model):
    gate = threading.Semaphore(1)
    model.script(slow(GOOD, gate))
    lea = await join(leaving, connect, "Lea")
    request = v1.GenerateGoalRequest(prompt="Quiero aprender FastAPI").SerializeToString()
    with RawPeer(leaving, lea.login.token, seconds=30) as peer:
        peer.call(1, GENERATE, request)
        while not v1.GenerateGoalResponse.FromString(next_message(peer)).HasField("token"):
            pass
        drain(leaving)
        second_goaway(peer)
        for _ in range(1000):
            gate.release()
        last = None
        for frame in frames(peer, END, 1):
            if frame.kind == MESSAGE:
                last = v1.GenerateGoalResponse.FromString(frame.payload)
        assert parse_end(frame, b"").status == 0
        assert last is not None and last.result.goal.id
    await ended(leaving)


def next_message(peer: RawPeer) -> bytes:
    while True:
        frame = peer.frame()
        assert frame.kind != END, parse_end(frame, b"")
        if frame.kind == MESSAGE:
            return frame.payload


async def test_what_the_grace_ends_says_why_and_where_to_continue(leaving, connect, model):
    model.script(hangs("{"))
    leaving.stop()
    leaving.options[-1] = "2"
    await leaving.restart()
    lea = await join(leaving, connect, "Lea")
    request = v1.GenerateGoalRequest(prompt="Quiero aprender FastAPI").SerializeToString()
    with RawPeer(leaving, lea.login.token, seconds=30) as peer:
        peer.call(1, GENERATE, request)
        response = v1.GenerateGoalResponse.FromString(next_message(peer))
        while not response.HasField("token"):
            response = v1.GenerateGoalResponse.FromString(next_message(peer))
        drain(leaving)
        for frame in frames(peer, END, 1):
            pass
        end = parse_end(frame, b"")
        assert end.status == UNAVAILABLE
        assert v1.ErrorDetails.FromString(end.fields[3]).reason == DRAINING
        assert end.fields[4].decode() == response.cursor
    await ended(leaving)
    # Nobody gave the run up: it continues, and the cursor leads into it.
    model.clear()
    await leaving.restart()
    async with asyncio.timeout(60):
        client = await connect(leaving, lea.login)
        again = v1.WatchRunRequest(run_id=response.run_id, cursor=response.cursor)
        steps = [step async for step in client.goals.watch_run(again)]
        assert steps[0].node_started.node == "generate"
        assert steps[-1].result.goal.id


async def test_subscriptions_end_at_once_with_their_cursor(leaving, connect):
    ana = await join(leaving, connect, "Ana")
    with RawPeer(leaving, ana.login.token, seconds=30) as peer:
        peer.call(1, WATCH, v1.WatchRequest(from_beginning=True).SerializeToString())
        # Has a deadline, and takes nothing.
        peer.send(
            CALL, FLAG_HAS_MESSAGE | FLAG_END, 3,
            call_block(WATCH, (2, struct.pack(">Q", 3_600_000_000))),
        )  # fmt: skip
        cursors = {}
        marked = set()
        ends = {}
        seen = set()
        is_told = is_draining = False
        while len(ends) < 2:
            frame = peer.frame()
            if frame.kind == PING:
                peer.send(PONG, 0, 0, frame.payload)
            if frame.kind == MESSAGE:
                response = v1.WatchResponse.FromString(frame.payload)
                cursors[frame.stream] = response.cursor
                if response.HasField("mark"):
                    marked.add(frame.stream)
                if response.event.type == "goal.created":
                    seen.add(frame.stream)
            if frame.kind == END:
                ends[frame.stream] = parse_end(frame, b"")
            if len(marked) == 2 and not is_told:
                # She sees the last event of the log: both streams are at it, and nowhere else, in the end.
                is_told = True
                await ana.client.goals.create_goal(v1.CreateGoalRequest(title="fin"))
            if len(seen) == 2 and not is_draining:
                is_draining = True
                drain(leaving)
        for stream, end in ends.items():
            assert end.status == UNAVAILABLE and end.fields[4].decode() == cursors[stream]
            assert v1.ErrorDetails.FromString(end.fields[3]).reason == DRAINING
    await ended(leaving)


async def test_connections_that_are_just_beginning_do_not_hold_it_up(leaving, connect):
    with tcp(leaving, 30) as silent, RawPeer(leaving, greet=False, seconds=30) as speechless:
        drain(leaving)
        # -1: the last words of the handshake were still on their way, as those of the silent one are.
        assert speechless.goaway() in (NO_ERROR, -1)
        assert is_closed(silent)
    await ended(leaving)
