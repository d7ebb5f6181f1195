"""A scripted OpenTelemetry collector: takes OTLP/HTTP in JSON, and does what a test tells it to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, Iterator, List, Tuple


class Collector:
    """Keeps what it was sent. `statuses` are its next answers; then 200 again."""

    def __init__(self, port: int = 0) -> None:
        self.requests: List[Tuple[str, Dict[str, Any]]] = []
        self.statuses: List[int] = []
        self.hangs = threading.Event()
        """While set, no request is answered."""
        self.hung = 0
        self._released = threading.Event()
        self._lock = threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/json"
                if collector.hangs.is_set():
                    collector.hung += 1
                    collector._released.wait(60)
                with collector._lock:
                    status = collector.statuses.pop(0) if collector.statuses else 200
                    if status == 200:
                        collector.requests.append((self.path, json.loads(body)))
                self.send_response(status)
                if status in (429, 503):
                    self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def spans(self) -> List[Dict[str, Any]]:
        """All spans so far, each with its resource's attributes in `resource`."""
        return list(self._spans())

    def _spans(self) -> Iterator[Dict[str, Any]]:
        with self._lock:
            requests = list(self.requests)
        for path, body in requests:
            if path != "/v1/traces":
                continue
            for resource in body["resourceSpans"]:
                attributes = plain(resource["resource"]["attributes"])
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        yield {**span, "resource": attributes}

    def metrics(self) -> Dict[str, Dict[str, Any]]:
        """The metrics of the last push, by name."""
        with self._lock:
            pushes = [body for path, body in self.requests if path == "/v1/metrics"]
        if not pushes:
            return {}
        scopes = pushes[-1]["resourceMetrics"][0]["scopeMetrics"]
        return {metric["name"]: metric for scope in scopes for metric in scope["metrics"]}


def plain(attributes: List[Dict[str, Any]]) -> Dict[str, Any]:
    """OTLP's key-value list as a dictionary."""
    return {each["key"]: next(iter(each["value"].values())) for each in attributes}
