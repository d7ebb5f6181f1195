"""The port that Prometheus reads: what it says, and what strangers can do to it."""

from __future__ import annotations

import contextlib
import socket
import time
import urllib.error
import urllib.request

import pytest
from hito_server import HitoServer, waiting
from ports import lasting_port
from prometheus_client.parser import text_string_to_metric_families

from hito import v1


@pytest.fixture(scope="module")
def measured():
    server = HitoServer()
    server.metrics_port = lasting_port()
    server.options += ["--metrics-listen", str(server.metrics_port)]
    try:
        server.start()
        yield server
        assert server.stop() == 0, server.tail()
    finally:
        server.remove()


def scrape(server: HitoServer) -> str:
    url = f"http://127.0.0.1:{server.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read().decode()


def samples(text: str):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def tcp(server: HitoServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.metrics_port), timeout=30)


def answer(server: HitoServer, request: bytes) -> bytes:
    with tcp(server) as peer:
        peer.sendall(request)
        return read_all(peer)


def read_all(peer: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := peer.recv(65536):
            parts.append(part)
    return b"".join(parts)


async def test_prometheus_reads_what_the_server_says_of_itself(measured):
    async with await measured.connect(measured.admin()) as client:
        for number in range(7):
            await client.goals.create_goal(v1.CreateGoalRequest(title=f"Goal {number}"))
        numbers = await client.server.get_statistics(v1.GetStatisticsRequest())
    found = samples(scrape(measured))
    create = ("method", "hito.v1.GoalService/CreateGoal")
    assert found["hito_rpc_calls_total", (create, ("status", "OK"))] == 7
    assert found["hito_rpc_call_duration_seconds_count", (create,)] == 7
    assert found["hito_rpc_call_duration_seconds_bucket", (("le", "+Inf"), create)] == 7
    said = next(m for m in numbers.methods if m.method == create[1])
    assert [(s.status, s.count) for s in said.statuses] == [("OK", 7)]
    assert said.started == 7 and said.open == 0 and 0 < said.p50_us <= said.max_us
    assert sum(bucket.count for bucket in said.buckets) == 7
    seconds = found["hito_rpc_call_duration_seconds_sum", (create,)]
    assert abs(seconds - said.total_us / 1e6) < 1e-6
    for name in (
        "hito_connections", "hito_store_connections", "hito_store_up",
        "process_cpu_seconds_total", "process_resident_memory_bytes",
    ):  # fmt: skip
        assert (name, ()) in found, name
    assert found["hito_store_up", ()] == 1
    assert ("hito_pipeline_lag_events", (("pipeline", "lake"),)) in found
    assert ("hito_rpc_refused_total", (("reason", "quota"),)) in found


def test_buckets_only_grow(measured):
    text = scrape(measured)
    by_method = {}
    for (name, labels), value in samples(text).items():
        if name == "hito_rpc_call_duration_seconds_bucket":
            labels = dict(labels)
            by_method.setdefault(labels["method"], []).append((float(labels["le"]), value))
    assert by_method
    for buckets in by_method.values():
        counts = [count for _, count in sorted(buckets)]
        assert counts == sorted(counts)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics/../etc HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd", b"405"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\nA: " + b"x" * 9000, b"431"),
    ],
)
def test_what_is_not_a_scrape_is_refused(measured, request_line, status):
    assert answer(measured, request_line).startswith(b"HTTP/1.1 " + status)
    assert samples(scrape(measured))


def test_silent_and_slow_peers_are_closed_and_few(measured):
    with contextlib.ExitStack() as held:
        began = time.monotonic()
        silent = [held.enter_context(tcp(measured)) for _ in range(10)]
        slow = held.enter_context(tcp(measured))
        for _ in waiting(20, "the slow one to be closed"):
            try:
                slow.sendall(b"G")
                slow.settimeout(0.3)
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        for peer in silent:
            assert read_all(peer) == b""
        assert 3 < time.monotonic() - began < 20
    with contextlib.ExitStack() as held:
        for _ in range(16):
            held.enter_context(tcp(measured))
        # The places are taken: another one is closed at once, not kept.
        for _ in waiting(10, "a peer that finds no place"):
            with tcp(measured) as late:
                if read_all(late) == b"":
                    break
    for _ in waiting(20, "a place"):
        with contextlib.suppress(OSError, urllib.error.URLError):
            assert samples(scrape(measured))
            break


def test_names_that_strangers_make_up_are_in_no_metric(measured):
    before = len(samples(scrape(measured)))
    for number in range(30):
        measured.command(
            "call", "--address", measured.address, "--ca", measured.ca_file,
            f"hito.v1.Nothing/Method{number}", "{}",
        )  # fmt: skip
    text = scrape(measured)
    assert "Nothing" not in text and len(samples(text)) < before + 100


def test_nothing_listens_unless_it_is_asked_for(server):
    assert "metrics: " not in server.log.read_text()
    found = server.command("serve", "--data-dir", str(server.folder / "x"), "--metrics-listen", "a:b")
    assert found.returncode == 64 and "metrics-listen" in found.stderr
