"""PostgreSQL and PgBouncer beside the servers, as an installation has them that does not use the embedded
database. Programs are the components that `make test` sets up."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, List, Optional

import pytest
from hito_server import waiting
from ports import lasting_port

VERSIONS = [15, 18]
# PostgreSQL and PgBouncer refuse to be root.
ACCOUNT = "nobody" if os.getuid() == 0 else None
COMPONENTS = [
    Path(root).expanduser()
    for root in (os.environ.get("HITO_COMPONENTS"), "~/.local/lib/hito", "/usr/local/lib/hito")
    if root
]


def program(component: str, name: str, said: str) -> Path:
    """A program of a component whose `--version` says so; a test without it ends here."""
    for root in COMPONENTS:
        for path in sorted(root.glob(f"{component}*/bin/{name}")):
            version = subprocess.run([path, "--version"], capture_output=True, text=True)
            if version.stdout.startswith(said):
                return path
    advice = f"{said} is not installed below {COMPONENTS[-1]}: run .make/setup-tests.sh"
    if shutil.which("apt-get") and said != f"postgres (PostgreSQL) {VERSIONS[-1]}":
        pytest.fail(advice)
    # The newest comes as a wheel, which this processor may not run.
    pytest.skip(advice)


class Child:
    """A process of a service with a folder of its own."""

    def __init__(self, kind: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"hito-{kind}-", dir="/tmp"))
        self.folder.chmod(0o755)
        if ACCOUNT:
            shutil.chown(self.folder, ACCOUNT)
        self.log = self.folder / "log"
        self._process: Optional[subprocess.Popen[bytes]] = None

    def spawn(self, *arguments: str) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=ACCOUNT
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def remove(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


class Database(Child):
    """A cluster of a version, on a socket in its folder."""

    def __init__(self, version: int, data: Optional[Path] = None) -> None:
        """`data`: where its tables are, if not in its folder; the log of its writes is there always."""
        super().__init__("database")
        self._data = data or self.folder / "data"
        self.version = version
        self.programs = program("postgres", "postgres", f"postgres (PostgreSQL) {version}").parent
        try:
            self._start()
        except BaseException:
            self.remove()
            raise

    def _start(self) -> None:
        data = self._data
        if data.parent != self.folder and ACCOUNT:
            data.mkdir(mode=0o700)
            shutil.chown(data, ACCOUNT)
        subprocess.run(
            [self.programs / "initdb", "-D", data, "-X", self.folder / "wal", "-U", "postgres", "-A", "trust", "-N",
             "--no-locale", "-E", "UTF8"],
            check=True, capture_output=True, user=ACCOUNT, cwd="/",
        )  # fmt: skip
        self.spawn(
            str(self.programs / "postgres"), "-D", str(data), "-k", str(self.folder),
            "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=150",
        )  # fmt: skip
        for _ in waiting(30, "PostgreSQL to start"):
            if not self.is_running:
                raise RuntimeError(self.tail())
            ready = [self.programs / "pg_isready", "-h", self.folder, "-q"]
            if subprocess.run(ready).returncode == 0:
                break
        self.run("postgres", "CREATE ROLE hito LOGIN CREATEROLE")

    def create(self, name: str) -> None:
        """An empty database that belongs to Hito's role."""
        self.run("postgres", f"CREATE DATABASE {name} OWNER hito")
        self.run(name, "CREATE EXTENSION vector")

    def url(self, name: str, **options: str) -> str:
        return url(name, self.folder, **options)

    def run(self, name: str, script: str) -> str:
        """What a script of the administrator prints."""
        done = subprocess.run(
            [self.programs / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
             "-U", "postgres", "-d", name, "-c", script],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


class PgBouncer(Child):
    """In front of a database, with one database name for each way of pooling."""

    def __init__(self, database: Database, name: str, pool_size: int = 60, **settings: str) -> None:
        super().__init__("pgbouncer")
        self.name = name
        self.port = lasting_port()
        modes = ("session", "transaction", "statement")
        lines: Dict[str, str] = {
            "listen_addr": "127.0.0.1", "listen_port": str(self.port), "unix_socket_dir": "",
            "auth_type": "any", "max_client_conn": "500", "default_pool_size": str(pool_size),
            **settings,
        }  # fmt: skip
        text: List[str] = ["[databases]"]
        text += [
            f"{name}_{mode} = host={database.folder} dbname={name} user=hito pool_mode={mode}"
            for mode in modes
        ]
        text += ["[pgbouncer]", *(f"{key} = {value}" for key, value in lines.items())]
        file = self.folder / "pgbouncer.ini"
        file.write_text("\n".join(text) + "\n")
        file.chmod(0o644)
        self.spawn(str(program("pgbouncer", "pgbouncer", "PgBouncer")), str(file))
        for _ in waiting(10, "PgBouncer to listen"):
            if not self.is_running:
                raise RuntimeError(self.tail())
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return

    def url(self, mode: str) -> str:
        return f"postgresql://hito@127.0.0.1:{self.port}/{self.name}_{mode}"


def url(name: str, host: Path, **options: str) -> str:
    more = "".join(f"&{key}={value}" for key, value in options.items())
    return f"postgresql:///{name}?host={host}&user=hito{more}"
