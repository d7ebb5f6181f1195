"""A provider of models that says what a test tells it to, over HTTP as providers speak it."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional

from hashed_words import embeddings_answer


class Request:
    """One request that came, with what became of its connection."""

    def __init__(self, path: str, headers: Dict[str, str], body: Dict[str, Any]) -> None:
        self.path = path
        self.headers = headers
        self.body = body
        self.at = time.monotonic()
        self.closed = threading.Event()
        """Set when the caller hung up before the answer was whole."""

    @property
    def system(self) -> str:
        return self._text("system")

    @property
    def user(self) -> str:
        return self._text("user")

    @property
    def text(self) -> str:
        """Everything that a model would read."""
        return f"{self.system}\n{self.user}"

    @property
    def wants_json(self) -> bool:
        return self.body.get("response_format", {}).get("type") == "json_schema"

    def _text(self, role: str) -> str:
        messages = self.body.get("messages", [])
        return "\n".join(m["content"] for m in messages if m["role"] == role)


class Exchange:
    """The answer to one request, as a step of a script writes it."""

    def __init__(self, handler: BaseHTTPRequestHandler, request: Request, stop: threading.Event):
        self.request = request
        self._handler = handler
        self._stop = stop

    def json(self, status: int, body: Any, headers: Optional[Dict[str, str]] = None) -> None:
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._head(status, {"Content-Type": "application/json", **(headers or {})}, len(encoded))
        self._handler.wfile.write(encoded)

    def begin_stream(self) -> None:
        self._head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})

    def event(self, data: Any) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        encoded = f"data: {text}\n\n".encode()
        self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(encoded), encoded))

    def end_stream(self) -> None:
        self._handler.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Closes the connection in the middle of what was being said."""
        self._handler.close_connection = True
        with contextlib.suppress(OSError):
            self._handler.connection.shutdown(socket.SHUT_RDWR)

    def hang(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Says nothing until the caller hangs up (False) or `until` holds (True)."""
        connection = self._handler.connection
        while not self._stop.is_set():
            if until():
                return True
            readable, _, _ = select.select([connection], [], [], 0.01)
            if readable and not connection.recv(1, socket.MSG_PEEK):
                break
        self.request.closed.set()
        self.cut()
        return False

    def _head(self, status: int, headers: Dict[str, str], length: Optional[int] = None) -> None:
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        if length is not None:
            self._handler.send_header("Content-Length", str(length))
        self._handler.end_headers()


Step = Callable[[Exchange], None]


class ScriptedModel:
    """`/v1/chat/completions` and `/v1/embeddings` on a port of its own.

    Each call of a kind takes the next step of its script, and what `otherwise` says when there is
    none. What came is kept in `chats` and `embeddings`.
    """

    def __init__(self, otherwise: Step, dimensions: int = 1536) -> None:
        self.otherwise = otherwise
        self.dimensions = dimensions
        self.chats: List[Request] = []
        self.embeddings: List[Request] = []
        self._script: Deque[Step] = deque()
        self._embedding_script: Deque[Step] = deque()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._server: Optional[ThreadingHTTPServer] = None
        self._connections: List[socket.socket] = []
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *steps: Step) -> None:
        with self._changed:
            self._script.extend(steps)

    def script_embeddings(self, *steps: Step) -> None:
        with self._changed:
            self._embedding_script.extend(steps)

    def hold_embeddings(self, count: int = 1) -> threading.Event:
        """Holds the next requests back until the event that it returns is set."""
        gate = threading.Event()

        def step(exchange: Exchange) -> None:
            if exchange.hang(until=gate.is_set):
                self.embed(exchange)

        self.script_embeddings(*[step] * count)
        return gate

    def clear(self) -> None:
        """Forgets what was scripted and what came."""
        with self._changed:
            self._script.clear()
            self._embedding_script.clear()
            self.chats, self.embeddings = [], []

    def wait_for_chats(self, count: int) -> List[Request]:
        """The chats, once there are so many."""
        return self._wait(lambda: self.chats, count)

    def wait_for_embeddings(self, count: int) -> List[Request]:
        """The same for embeddings."""
        return self._wait(lambda: self.embeddings, count)

    def _wait(
        self, came: Callable[[], List[Request]], count: int, seconds: float = 30.0
    ) -> List[Request]:
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(came()) >= count, seconds)
            assert arrived, f"waited {seconds:g} s for request {count}, {len(came())} came"
            return list(came())

    def start(self) -> None:
        """Listens, on the port of last time."""
        self._stop = threading.Event()
        server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        server.daemon_threads = True
        # Callers hang up as they like.
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more, and what was open is closed."""
        if self._server is None:
            return
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """A dead port, for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _step(self, request: Request) -> Step:
        with self._changed:
            is_chat = request.path.endswith("/chat/completions")
            (self.chats if is_chat else self.embeddings).append(request)
            script = self._script if is_chat else self._embedding_script
            step = script.popleft() if script else None
            self._changed.notify_all()
        if step is not None:
            return step
        return self.otherwise if is_chat else self.embed

    def embed(self, exchange: Exchange) -> None:
        """The step that embeddings take where nothing is scripted."""
        exchange.json(200, embeddings_answer(exchange.request.body, self.dimensions))

    def _handler(self) -> type:
        model, stop = self, self._stop

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                model._connections.append(self.connection)

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size))
                request = Request(self.path, dict(self.headers), body)
                try:
                    model._step(request)(Exchange(self, request, stop))
                except OSError:
                    request.closed.set()
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Nothing: tests look at what came."""

        return Handler
