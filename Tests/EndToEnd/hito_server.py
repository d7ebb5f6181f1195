"""The real server as a child process: start, kill, restart, stop, tokens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional

from ports import lasting_port

import hito
from hito import v1

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0
STOP_SECONDS = 40.0


DEBUG_ONLY = "HITO_TEST_"
"""How the variables begin that only a debug build looks at."""


def binary(environment: Mapping[str, str] = MappingProxyType({})) -> str:
    """The program under test: HITO_BIN, or HITO_BINARY, or the debug build.

    - environment: what it is started with. For what only a debug build knows that one is taken.
    """
    if any(name.startswith(DEBUG_ONLY) for name in environment):
        return debug_binary()
    return _existing(os.environ.get("HITO_BIN") or os.environ.get("HITO_BINARY"))


def debug_binary() -> str:
    """The debug build, beside which is what tests alone need."""
    return _existing(os.environ.get("HITO_E2E_DEBUG_BINARY"))


def _existing(named: Optional[str]) -> str:
    path = Path(named) if named else REPOSITORY / ".build" / "debug" / "hito"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run `make build`, or set HITO_BIN")
    return str(path)


class Login(NamedTuple):
    """A user and a token."""

    name: str
    user_id: str
    token: str


class HitoServer:
    """A server with a data directory of its own."""

    def __init__(
        self, program: Optional[str] = None, environment: Optional[Mapping[str, str]] = None
    ) -> None:
        self.program = program or binary(environment or {})
        self.environment = dict(environment or {})
        """What it is started with beside our own environment, less the models named there."""
        # Not below a private folder: PostgreSQL runs as another user. And short: socket paths
        # are limited to 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="hito-e2e-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.options: List[str] = []
        """More options of `hito serve`."""
        self.file_limit = 0
        """What `ulimit -n` is to be; 0 leaves it."""
        self._port_file = self.folder / "port"
        self._process: Optional[subprocess.Popen[bytes]] = None
        self.address = f"127.0.0.1:{lasting_port()}"

    @property
    def ca_file(self) -> str:
        return str(self.data / "tls" / "ca.pem")

    @property
    def lake(self) -> Path:
        return self.data / "lake" / "events"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def resident_mib(self) -> float:
        """The resident memory of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def start(self) -> None:
        """Starts it, always on the same port, and returns once it takes calls."""
        self.launch()
        assert self._process is not None
        for _ in waiting(START_SECONDS, "the server to take calls"):
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended: {self._process.returncode}\n{self.tail()}")
            with contextlib.suppress(FileNotFoundError):
                text = self._port_file.read_text().strip()
                if text:
                    self.address = text
                    return

    def launch(self) -> None:
        """Begins to start it."""
        with contextlib.suppress(FileNotFoundError):
            self._port_file.unlink()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._limits(), self.program, "serve", "--data-dir", str(self.data),
                    "--listen", self.address, "--port-file", str(self._port_file),
                    *self.options,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment(),
            )  # fmt: skip

    def _limits(self) -> List[str]:
        return ["prlimit", f"--nofile={self.file_limit}"] if self.file_limit else []

    def _environment(self) -> Dict[str, str]:
        models = ("HITO_MODEL", "HITO_EMBEDDING_")
        own = {k: v for k, v in os.environ.items() if not k.startswith(models)}
        return {**own, **self.environment}

    def kill(self) -> None:
        """kill -9: nothing is flushed, nobody is told."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM and the end of the drain; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop\n{self.tail()}") from None

    async def restart(self) -> None:
        """`start` without holding up the event loop."""
        await asyncio.to_thread(self.start)

    def admin(self) -> Login:
        """The first admin, whose token the server wrote at its first start."""
        token = (self.data / "admin.token").read_text().strip()
        return Login("Admin", "", token)

    def join(self, name: str, role: str = "learner", external_id: str = "") -> Login:
        """A new user with a token."""
        request = v1.CreateUserRequest(
            display_name=name, external_id=external_id, role=f"ROLE_{role.upper()}"
        )

        async def work() -> Login:
            async with await self.connect(self.admin(), timeout=60.0) as client:
                user = (await client.users.create_user(request)).user
                made = await client.users.create_token(v1.CreateTokenRequest(user_id=user.id))
                return Login(name, user.id, made.secret)

        # In a thread of its own: the caller may have an event loop already.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, work()).result()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs another subcommand of the program to its end."""
        return subprocess.run(
            [self.program, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    async def connect(self, login: Optional[Login] = None, **options: object) -> hito.Client:
        token = login.token if login is not None else ""
        return await hito.Client.connect(
            self.address, ca_file=self.ca_file, token=token,
            wait_for_connect=True, **options,  # type: ignore[arg-type]
        )  # fmt: skip

    def postmaster(self) -> int:
        """The process id of its PostgreSQL."""
        files = list(self.data.rglob("postmaster.pid"))
        if len(files) != 1:
            raise FileNotFoundError(f"postmaster.pid below {self.data}: {files}")
        return int(files[0].read_text().split()[0])

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def remove(self) -> None:
        """Stops whatever still runs and deletes the data (kept with HITO_E2E_KEEP=1)."""
        if self.is_running:
            self.stop()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            # A PostgreSQL that outlived a killed server.
            process = self.postmaster()
            os.kill(process, signal.SIGINT)
            for _ in waiting(20, "PostgreSQL to stop"):
                os.kill(process, 0)
        if not os.environ.get("HITO_E2E_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def waiting(seconds: float, what: str) -> Iterator[None]:
    """Looks again and again, for so long; then fails."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}")


