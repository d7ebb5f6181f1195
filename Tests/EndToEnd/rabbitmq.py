"""A RabbitMQ of the tests' own: on loopback, in a folder, with an epmd, a cookie and ports of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import pika
import pytest
from certificates import Authority
from external_database import COMPONENTS
from hito_server import waiting
from pika.adapters.blocking_connection import BlockingChannel
from ports import lasting_ports

START_SECONDS = 90.0
# It raises what it logs, and knocks are many: nothing else would be found in the report of a failure.
logging.getLogger("pika").setLevel(logging.CRITICAL)


def component() -> Path:
    """The folder of RabbitMQ and its Erlang; a test without it ends here."""
    for root in COMPONENTS:
        if (root / "rabbitmq" / "rabbitmq").exists():
            return (root / "rabbitmq").resolve()
    if shutil.which("apt-get"):
        pytest.fail("RabbitMQ is not installed: run .make/setup-tests.sh")
    pytest.skip("RabbitMQ is not installed, and there is no apt-get to do it")


class Broker:
    """One broker. All calls block."""

    def __init__(self, settings: Optional[Dict[str, str]] = None, tls: bool = False) -> None:
        self._home = component()
        self.folder = Path(tempfile.mkdtemp(prefix="hito-broker-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.port, self.tls_port, self._node_port, self._names_port = lasting_ports(4)
        self.authority: Optional[Authority] = None
        self._log = self.folder / "log"
        self._broker: Optional[subprocess.Popen[bytes]] = None
        self._names: Optional[subprocess.Popen[bytes]] = None
        lines = {
            "listeners.tcp.local": f"127.0.0.1:{self.port}",
            "vm_memory_high_watermark.absolute": "512MB",
            "disk_free_limit.absolute": "1MB",
            "loopback_users.guest": "true",
            **(settings or {}),
        }
        if tls:
            lines.update(self._tls())
        text = "".join(f"{name} = {value}\n" for name, value in lines.items())
        (self.folder / "rabbitmq.conf").write_text(text)
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "env.conf").write_text("")

    def _tls(self) -> Dict[str, str]:
        self.authority = Authority(self.folder, "broker-ca")
        made = self.authority.sign("broker", "DNS:localhost,IP:127.0.0.1")
        return {
            "listeners.ssl.local": f"127.0.0.1:{self.tls_port}",
            "ssl_options.cacertfile": self.authority.files.certificate,
            "ssl_options.certfile": made.certificate,
            "ssl_options.keyfile": made.key,
            "ssl_options.verify": "verify_none",
            "ssl_options.versions.1": "tlsv1.3",
            "ssl_options.versions.2": "tlsv1.2",
        }

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}"

    def _environment(self) -> Dict[str, str]:
        place = self.folder
        return {
            "PATH": f"{self._home}/erlang/bin:{os.environ['PATH']}",
            "HOME": str(place),  # the cookie
            "LC_ALL": "C.UTF-8",
            "RABBITMQ_CONF_ENV_FILE": f"{place}/env.conf",
            "RABBITMQ_CONFIG_FILE": f"{place}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{place}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{place}/enabled_plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{place}/generated",
            "RABBITMQ_FEATURE_FLAGS_FILE": f"{place}/feature_flags",
            "RABBITMQ_NODENAME": "hito@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_MNESIA_BASE": f"{place}/data",
            "RABBITMQ_MNESIA_DIR": f"{place}/data/node",
            "RABBITMQ_QUORUM_DIR": f"{place}/data/quorum",
            "RABBITMQ_STREAM_DIR": f"{place}/data/stream",
            "RABBITMQ_LOG_BASE": str(place),
            "RABBITMQ_LOGS": f"{place}/rabbit.log",
            "RABBITMQ_PID_FILE": f"{place}/pid",
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Small, and idle where it has nothing to do.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} "
            "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
            "RABBITMQ_CTL_ERL_ARGS": "+S 1:1",
        }

    def start(self) -> None:
        """Starts it, and returns once it takes connections."""
        if self._names is None:
            # Ours, so that none is left behind: the broker would start one that outlives it.
            self._names = subprocess.Popen(
                [str(self._home / "erlang/bin/epmd"), "-port", str(self._names_port),
                 "-address", "127.0.0.1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=self._environment(),
            )  # fmt: skip
        with self._log.open("ab") as log:
            self._broker = subprocess.Popen(
                [str(self._home / "rabbitmq/sbin/rabbitmq-server")], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self._environment(), start_new_session=True,
            )  # fmt: skip
        for _ in waiting(START_SECONDS, f"the broker to start\n{self.tail()}"):
            assert self._broker.poll() is None, f"the broker ended\n{self.tail()}"
            with contextlib.suppress(OSError, pika.exceptions.AMQPError), self.channel():
                return

    @property
    def processes(self) -> List[int]:
        """Those of the broker: all of its session."""
        assert self._broker is not None
        found = []
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if entry.isdigit() and os.getsid(int(entry)) == self._broker.pid:
                    found.append(int(entry))
        return found

    def kill(self) -> None:
        """kill -9 of all of it."""
        assert self._broker is not None
        for pid in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._broker.wait()
        for _ in waiting(20, "the broker's processes to end"):
            if not self.processes:
                return

    def stop(self) -> None:
        """In order."""
        if self._broker is None or self._broker.poll() is not None:
            return
        self._broker.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._broker.wait(30)
        self.kill()

    def signal(self, number: int) -> None:
        for pid in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def control(self, *arguments: str) -> str:
        """What rabbitmqctl says."""
        done = subprocess.run(
            [str(self._home / "rabbitmq/sbin/rabbitmqctl"), "--quiet", *arguments],
            capture_output=True, text=True, timeout=60, check=False, env=self._environment(),
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def fill_memory(self) -> None:
        """An alarm: it takes no messages."""
        self.control("set_vm_memory_high_watermark", "absolute", "1MB")

    def free_memory(self) -> None:
        self.control("set_vm_memory_high_watermark", "absolute", "512MB")

    @contextlib.contextmanager
    def channel(self, user: str = "guest", password: str = "guest") -> Iterator[BlockingChannel]:
        parameters = pika.ConnectionParameters(
            "127.0.0.1", self.port, credentials=pika.PlainCredentials(user, password),
            socket_timeout=10, blocked_connection_timeout=20,
        )  # fmt: skip
        connection = pika.BlockingConnection(parameters)
        try:
            yield connection.channel()
        finally:
            with contextlib.suppress(pika.exceptions.AMQPError):
                connection.close()

    def declare(self, queue: str, key: str = "#", exchange: str = "hito.events") -> None:
        """A quorum queue of all events that match, and the exchange where it is missing."""
        with self.channel() as channel:
            channel.exchange_declare(exchange.replace(".events", ".unrouted"), "fanout", durable=True)
            channel.exchange_declare(
                exchange, "topic", durable=True,
                arguments={"alternate-exchange": exchange.replace(".events", ".unrouted")},
            )  # fmt: skip
            channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
            channel.queue_bind(queue, exchange, key)

    def depth(self, queue: str) -> int:
        """Messages of a queue that nobody has been given."""
        with self.channel() as channel:
            return channel.queue_declare(queue, passive=True).method.message_count

    def collect(self, queue: str, take: Callable[[Any, Any, bytes], None]) -> int:
        """Takes what is there, and acknowledges it; how many that was."""
        count = 0
        with self.channel() as channel:
            # One at a time: what is here and not taken when this ends goes back, and several would not always go
            # back in their order.
            channel.basic_qos(prefetch_count=1)
            for method, properties, body in channel.consume(queue, inactivity_timeout=0.5):
                if method is None:
                    break
                take(method, properties, body)
                channel.basic_ack(method.delivery_tag)
                count += 1
            channel.cancel()
        return count

    def tail(self, lines: int = 20) -> str:
        texts = [
            path.read_text(errors="replace")
            for path in (self._log, self.folder / "rabbit.log") if path.exists()
        ]  # fmt: skip
        return "\n".join("\n".join(texts).splitlines()[-lines:])

    def remove(self) -> None:
        self.stop()
        if self._names is not None:
            self._names.terminate()
            self._names.wait(10)
        if not os.environ.get("HITO_E2E_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
