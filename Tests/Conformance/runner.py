#!/usr/bin/env python3
"""Holds a server or a client of `hito/1` to Protos/PROTOCOL.md and clients/BEHAVIOUR.md.

    runner.py server --address HOST:PORT --ca FILE [--token-file FILE]
    runner.py client -- COMMAND...
    runner.py clauses

docs/conformance.md says how; Python 3.11 and the openssl command are all that it needs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hito_conformance import clauses, client, engine, report, server  # noqa: E402
from hito_conformance.cases import Case, Registry, TimeFactor  # noqa: E402
from hito_conformance.program import Program  # noqa: E402

LIMITS = {
    "hello": 10.0, "idle_anonymous": 30.0, "keepalive_idle": 60.0, "keepalive_timeout": 20.0, "stall": 60.0,
}  # fmt: skip


def main() -> int:
    options = parser().parse_args()
    if options.side == "clauses":
        names = [case.name for case in server.REGISTRY.cases + client.REGISTRY.cases]
        return 0 if clauses.tell(names) else 1
    registry = server.REGISTRY if options.side == "server" else client.REGISTRY
    cases = registry.chosen(options.run) if options.run else registry.cases
    if options.list:
        print("\n".join(case.name for case in cases))
        return 0
    if not cases:
        print(f"no case is named {options.run}", file=sys.stderr)
        return 2
    return run(options, registry, cases)


def run(options: argparse.Namespace, registry: Registry, cases: List[Case]) -> int:
    known = report.Known(options.known_failing)
    unused = known.unused([case.name for case in registry.cases])
    if unused:
        print(f"known failures that no case has: {', '.join(unused)}", file=sys.stderr)
        return 2
    began = time.monotonic()
    reporter = report.Reporter(known, len(cases), options.quiet)
    TimeFactor.value = options.time_factor
    asyncio.run((hold_server if options.side == "server" else hold_client)(options, cases, reporter))
    if options.junit:
        reporter.junit(options.junit, options.side)
    verdict = reporter.verdict()
    print(
        f"# {len(cases)} cases: {verdict.passed} passed, {verdict.failed} failed, {verdict.known} fail as"
        f" known, {verdict.skipped} skipped, in {time.monotonic() - began:.1f} s"
    )
    return 0 if verdict.is_good else 1


async def hold_server(
    options: argparse.Namespace, cases: List[Case], reporter: report.Reporter
) -> None:
    host, _, port = options.address.rpartition(":")
    token = Path(options.token_file).read_text().strip() if options.token_file else ""
    target = server.Target(
        host.strip("[]"), int(port), options.ca, token, limits(options.started_with), options.slowest,
        options.drain,
    )  # fmt: skip
    usual = [case for case in cases if case.phase == "normal"]
    last = [case for case in cases if case.phase == "drain"]
    await engine.run(usual, lambda case: server.ServerTest(target, case), options.jobs, reporter.told)
    if not options.drain:
        for case in last:
            why = "needs --drain, a command that tells the server to drain"
            reporter.told(engine.Outcome(case, engine.SKIPPED, why, 0.0))
        return
    drain = server.Drain(len(last), options.drain)
    await engine.run(last, lambda case: server.ServerTest(target, case, drain), len(last), reporter.told)


async def hold_client(
    options: argparse.Namespace, cases: List[Case], reporter: report.Reporter
) -> None:
    with tempfile.TemporaryDirectory(prefix="hito-conformance-") as folder:
        certificates = client.Certificates.make(Path(folder))
        program = Program(options.command)
        await program.start()
        try:
            await engine.run(
                cases, lambda case: client.ClientTest(program, certificates, case), options.jobs, reporter.told
            )
        finally:
            await program.stop()


def limits(text: str) -> Dict[str, float]:
    result = dict(LIMITS)
    for part in filter(None, text.split(",")):
        name, _, seconds = part.partition("=")
        if name not in result:
            raise SystemExit(f"--started-with: {name} is none of {', '.join(LIMITS)}")
        result[name] = float(seconds)
    return result


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sides = whole.add_subparsers(dest="side", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--list", action="store_true", help="print the names of the cases")
    common.add_argument("--run", default="", metavar="PATTERN", help="only these: W9, 'W9.*/*/bytes', ...")
    common.add_argument("--known-failing", default="", metavar="FILE", help="cases that must fail")
    common.add_argument("--junit", default="", metavar="FILE", help="write the outcomes there too")
    common.add_argument("--jobs", type=int, default=8, help="cases at a time (8)")
    common.add_argument("--time-factor", type=float, default=1.0, metavar="FACTOR",
                        help="wait so many times as long for what must come: on a busy machine")  # fmt: skip
    common.add_argument("--quiet", action="store_true", help="print failures and the figures only")
    held = sides.add_parser("server", parents=[common], help="plays clients of a server")
    held.add_argument("--address", default="127.0.0.1:7443", metavar="HOST:PORT")
    held.add_argument("--ca", default="", metavar="FILE", help="who signed the server's certificate")
    held.add_argument("--token-file", default="", metavar="FILE", help="an admin's token")
    held.add_argument("--started-with", default="", metavar="NAME=SECONDS,...",
                      help=f"limits that are not the specification's: {', '.join(LIMITS)}")  # fmt: skip
    held.add_argument("--slowest", type=float, default=35.0, metavar="SECONDS",
                      help="skip cases that wait longer for such a limit (35)")  # fmt: skip
    held.add_argument("--drain", default="", metavar="COMMAND", help="tells the server to drain: the last cases")
    played = sides.add_parser("client", parents=[common], help="plays servers of a client")
    played.add_argument("command", nargs="+", metavar="COMMAND", help="the program under test, behind --")
    sides.add_parser("clauses", help="which clauses have cases, and which have none and why")
    return whole


if __name__ == "__main__":
    sys.exit(main())
