"""PostgreSQL servers of a test's own: primaries, streaming standbys, copies, promotion.

    with Postgres.create(folder / "a") as primary:
        standby = primary.standby(folder / "b")   # streams what the primary commits
        standby.pause()                           # from here on it gets nothing more
        primary.kill()                            # what it committed meanwhile is lost
        standby.promote()

They log in by socket and trust, and are reached with `url(primary, standby)`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import List, Optional

from hito_server import waiting

_ports = itertools.count(1)


def programs() -> Path:
    """The folder of PostgreSQL's programs, of an installation that has pgvector; HITO_POSTGRES_BIN
    names one."""
    named = os.environ.get("HITO_POSTGRES_BIN")
    if named:
        return Path(named)
    found = sorted(Path("/usr/local/lib/hito").glob("postgres-*/dist/*/pginstall/bin"))
    if not found:
        raise FileNotFoundError("no PostgreSQL below /usr/local/lib/hito: run `make setup`")
    return found[-1]


def _account() -> Optional[str]:
    """PostgreSQL does not run as root: the account that it runs as then."""
    if os.geteuid() != 0:
        return None
    for name in ("hito", "postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise FileNotFoundError("no account for PostgreSQL")


def url(*servers: "Postgres") -> str:
    """Where Hito finds the one of them that takes writes."""
    hosts = ",".join(str(server.sockets) for server in servers)
    ports = ",".join(str(server.port) for server in servers)
    return (
        f"postgresql:///hito?user=hito&host={hosts}&port={ports}"
        "&target_session_attrs=read-write&connect_timeout=2"
    )


class Postgres:
    """One server with a data directory of its own."""

    def __init__(self, folder: Path, binaries: Optional[Path] = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.sockets = folder / "run"
        self.binaries = binaries or programs()
        self.port = 54000 + next(_ports)
        self.log = folder / "postgres.log"

    @classmethod
    def create(cls, folder: Path, binaries: Optional[Path] = None) -> "Postgres":
        """A new cluster with the role and the database that Hito wants, running."""
        made = cls(folder, binaries)
        made._prepare()
        made._run("initdb", "-D", str(made.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--no-sync", "--locale=C")  # fmt: skip
        made._configure("wal_level = replica", "max_wal_senders = 8", "wal_keep_size = '256MB'",
                        "max_connections = 200")  # fmt: skip
        made.start()
        made.sql("CREATE ROLE hito LOGIN CREATEROLE")
        made.sql("CREATE DATABASE hito OWNER hito")
        made.sql("CREATE EXTENSION vector", database="hito")
        return made

    def standby(self, folder: Path) -> "Postgres":
        """A hot standby that streams from this server, running and caught up."""
        made = Postgres(folder, self.binaries)
        made._prepare()
        made._run("pg_basebackup", "-D", str(made.data), "-h", str(self.sockets), "-p",
                  str(self.port), "-U", "postgres", "-X", "stream", "-c", "fast", "-R",
                  "--no-sync")  # fmt: skip
        made._configure(f"port = {made.port}", f"unix_socket_directories = '{made.sockets}'")
        made.start()
        self.wait_for(made)
        return made

    def copy(self, folder: Path) -> Path:
        """A copy of the data directory of this server, which is stopped: a backup."""
        copy = folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.data), str(copy)], check=True)
        return copy

    def restore(self, copy: Path) -> None:
        """Puts a copy back in the place of the data directory of this server, which is stopped."""
        shutil.rmtree(self.data)
        subprocess.run(["cp", "-a", str(copy), str(self.data)], check=True)

    def start(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-t", "60", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")

    def kill(self) -> None:
        """kill -9 of the whole server, and waits until its last process has let go."""
        postmaster = self.process()
        children = self._children(postmaster)
        for process in [postmaster, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for _ in waiting(20, "PostgreSQL to be gone"):
            if not any(_lives(process) for process in [postmaster, *children]):
                return

    def remove(self) -> None:
        """Ends it, if it runs, and deletes its folder."""
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            if _lives(self.process()):
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def pause(self) -> None:
        """This standby gets nothing more: what the primary commits now is lost when it dies."""
        self.sql("ALTER SYSTEM SET primary_conninfo = ''")
        self.sql("SELECT pg_reload_conf()")
        for _ in waiting(20, "the standby to stop receiving"):
            if self.sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0":
                return

    def promote(self) -> None:
        """This standby is the primary from here on."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "promote")

    def wait_for(self, standby: "Postgres") -> None:
        """Returns once the standby has replayed what this server has committed until now."""
        position = self.sql("SELECT pg_current_wal_flush_lsn()")
        query = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        for _ in waiting(30, "the standby to catch up"):
            with contextlib.suppress(subprocess.CalledProcessError):
                if standby.sql(query) == "t":
                    return

    def sql(self, script: str, database: str = "postgres", user: str = "postgres") -> str:
        """The output of a script, values apart by `|`."""
        return subprocess.run(
            [str(self.binaries / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h",
             str(self.sockets), "-p", str(self.port), "-U", user, "-d", database, "-c", script],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout.strip()  # fmt: skip

    def process(self) -> int:
        """The process id of the postmaster."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def _children(self, process: int) -> List[int]:
        text = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True,
                              check=False).stdout  # fmt: skip
        return [int(line) for line in text.split()]

    def _prepare(self) -> None:
        self.sockets.mkdir(parents=True)
        self.folder.chmod(0o755)
        account = _account()
        if account is not None:
            for place in (self.folder, self.sockets):
                shutil.chown(place, account)

    def _configure(self, *lines: str) -> None:
        settings = [
            f"port = {self.port}", f"unix_socket_directories = '{self.sockets}'",
            "listen_addresses = ''", "fsync = off", "shared_buffers = '32MB'", *lines,
        ]  # fmt: skip
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write("\n".join(settings) + "\n")

    def _run(self, program: str, *arguments: str) -> None:
        account = _account()
        prefix = ["runuser", "-u", account, "--"] if account is not None else []
        # Not through pipes: what pg_ctl starts would keep them open.
        with (self.folder / "programs.log").open("ab") as log:
            done = subprocess.run(
                [*prefix, str(self.binaries / program), *arguments], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd="/", timeout=120, check=False,
            )  # fmt: skip
        assert done.returncode == 0, (
            f"{program}: {(self.folder / 'programs.log').read_text(errors='replace')[-2000:]}"
        )


def _lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")
