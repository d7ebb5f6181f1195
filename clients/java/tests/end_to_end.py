"""Starts a server, holds the Java programs given to it to their scenarios, and kills the server as they ask.

    HITO_BINARY=... end_to_end.py CLASSPATH MAIN_CLASS...
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "clients" / "python" / "src")]

from hito_server import HitoServer  # noqa: E402

TIME_MAX = 300


def authority(folder: Path, name: str) -> Path:
    """A new authority's certificate, and a client's that it signed: `client.pem`, `client.key`."""
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", f"/CN={name}")
    openssl("req", *new[:-2], "-keyout", "client.key", "-out", "client.csr", "-subj", "/CN=client")
    openssl(
        "x509", "-req", "-in", "client.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "2", "-out", "client.pem",
    )  # fmt: skip
    return folder / "ca.pem"


def hold(server: HitoServer, program: subprocess.Popen[str]) -> int:
    assert program.stdin is not None and program.stdout is not None
    for line in program.stdout:
        if line.startswith("ask "):
            if line.strip() == "ask kill":
                server.kill()
            else:
                server.start()
            program.stdin.write("done\n")
            program.stdin.flush()
        else:
            print(line, end="", flush=True)
    return program.wait(TIME_MAX)


def main() -> int:
    classpath, *programs = sys.argv[1:]
    server = HitoServer()
    try:
        ours = authority(server.folder / "ours", "clients")
        # Of the same name: TLS of Java shows no certificate of an authority that is not asked for.
        other = authority(server.folder / "other", "clients")
        server.options += ["--tls-client-ca", str(ours)]
        server.start()
        environment = {
            **os.environ, "HITO_ADDRESS": server.address, "HITO_CA": server.ca_file,
            "HITO_OTHER_CA": str(other), "HITO_TOKEN": server.admin().token,
            "HITO_CLIENT_CERTIFICATE": str(ours.parent / "client.pem"),
            "HITO_CLIENT_KEY": str(ours.parent / "client.key"),
        }  # fmt: skip
        failed = 0
        for name in programs:
            options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
            with subprocess.Popen(
                ["java", *options, "-cp", classpath, name], env=environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            ) as program:  # fmt: skip
                failed += hold(server, program) != 0
        if failed:
            print(server.tail())
        return 1 if failed else 0
    finally:
        server.remove()


sys.exit(main())
