"""A PostgreSQL server of the tests' own: started, killed, copied to a standby, promoted.

Where we are root it runs as `nobody`, since PostgreSQL refuses root. It listens on a socket only.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

from hito_server import waiting

START_SECONDS = 60.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "max_prepared_transactions": "40",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # in the folder: nothing stays after a kill
    "wal_level": "replica",
    "max_wal_senders": "6",
    "wal_keep_size": "512MB",
    "hot_standby": "on",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "100ms",
    "checkpoint_timeout": "30s",
    "log_min_messages": "warning",
    "jit": "off",
}


def programs() -> Path:
    """The folder of PostgreSQL's programs: HITO_POSTGRES, or the installed component."""
    named = os.environ.get("HITO_POSTGRES")
    roots = [named] if named else ["~/.local/lib/hito/postgres", "/usr/local/lib/hito/postgres"]
    for root in roots:
        # Of the file itself: it finds its libraries beside itself.
        found = (Path(root).expanduser() / "bin" / "pg_basebackup").resolve()
        if found.exists():
            return found.parent
    raise FileNotFoundError(f"no PostgreSQL with pg_basebackup below {roots}: run `make setup`")


class Node:
    """One PostgreSQL server and its folder. All calls block."""

    def __init__(self, folder: Path, name: str, settings: Optional[Dict[str, str]] = None) -> None:
        self.name = name
        self.run = folder / name
        self.data = folder / f"{name}-data"
        self.log = folder / f"{name}.log"
        self._settings = {**SETTINGS, **(settings or {})}
        self._programs = programs()
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._account: Dict[str, Any] = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for place in (self.run, self.data):
            place.mkdir()
            self._own(place)

    @property
    def socket(self) -> Path:
        return self.run / ".s.PGSQL.5432"

    @property
    def pid(self) -> int:
        """Of the postmaster."""
        assert self._process is not None
        return self._process.pid

    def create(self) -> None:
        """Makes an empty cluster; everybody on the socket is let in, `postgres` as its superuser."""
        self._call(
            "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync",
            "-E", "UTF8", "--locale=C",
        )  # fmt: skip

    def start(self) -> None:
        """Starts it and returns once it takes sessions."""
        # Those of a killed postmaster see its end within a moment; a new one must not meet them.
        for _ in waiting(START_SECONDS, f"the processes of {self.name} to end"):
            if not self.processes():
                break
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self.data), "-k", str(self.run),
                 *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd="/", **self._account,
            )  # fmt: skip
        for _ in waiting(START_SECONDS, f"{self.name} to take sessions\n{self.tail()}"):
            assert self._process.poll() is None, f"{self.name} ended\n{self.tail()}"
            ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.run)]
            if subprocess.run(ready, check=False, timeout=20).returncode == 0:
                return

    def processes(self) -> List[int]:
        """Every process that works in its folder."""
        found = []
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd") == str(self.data):
                    found.append(int(entry))
        return found

    def process_of(self, kind: str) -> Optional[int]:
        """The process whose title has these words, for example `walreceiver`."""
        for pid in self.processes():
            with contextlib.suppress(OSError):
                if kind in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"):
                    return pid
        return None

    def kill(self) -> None:
        """kill -9 of the postmaster; the others see it and end by themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def destroy(self) -> None:
        """kill -9 of all of it at once, as when its machine goes."""
        # Nobody may see another one die: a session that misses its postmaster ends its wait for the
        # standby, and shows to the rest what is then on one machine only.
        stopped: Set[int] = set()
        while found := set(self.processes()) - stopped:
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            stopped |= found
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def stop(self) -> None:
        """Ends sessions and stops in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def follow(self, primary: "Node") -> None:
        """Throws away what it has and becomes a standby of the other; starts it."""
        self._forget()
        self._call(
            "pg_basebackup", "-D", self.data, "-h", primary.run, "-U", "postgres",
            "--checkpoint=fast", "--wal-method=stream", "--no-sync", "--write-recovery-conf",
        )  # fmt: skip
        conninfo = f"host={primary.run} user=postgres application_name={self.name}"
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{conninfo}'\n")
        self.start()

    def promote(self) -> None:
        """Makes a standby take writes; returns once it does."""
        self.query("SELECT pg_promote(true, 60)")

    def query(self, sql: str, database: str = "postgres", user: str = "postgres") -> str:
        """The output of a script, which waits for no standby."""
        command = [*self.psql(database, user), "-c", sql]
        environment = {**os.environ, "PGOPTIONS": "-c synchronous_commit=local"}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        assert done.returncode == 0, f"{sql}\n{done.stderr}\n{self.tail()}"
        return done.stdout.strip()

    def psql(self, database: str, user: str) -> List[str]:
        """The command of a session."""
        program = str(self._programs / "psql")
        options = ["-XqAt", "-v", "ON_ERROR_STOP=1"]
        return [program, *options, "-h", str(self.run), "-U", user, "-d", database]

    def tail(self, lines: int = 15) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _call(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, cwd="/",
            **self._account,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}\n{done.stderr}"

    def _forget(self) -> None:
        """Empties the folder, and gives back the segment that a killed one left."""
        with contextlib.suppress(OSError, IndexError):
            segment = (self.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
            subprocess.run(["ipcrm", "-m", segment], capture_output=True, check=False)
        shutil.rmtree(self.data)
        self.data.mkdir()
        self._own(self.data)

    def _own(self, place: Path) -> None:
        place.chmod(0o700 if place == self.data else 0o755)
        if self._account:
            os.chown(place, self._account["user"], self._account["group"])
