"""The history checker for long: round after round, each on a new database with new servers.

    python history_soak.py [--seconds S] [--kills N] [--seed N] [--rounds N] [--sabotage]

Ends when the time is over and the kills are done, with 0; at the first violation with 1, and then
leaves the history, the plan and the logs in a folder that it names. `--seed` with the seed of a
round and `--rounds 1` repeats that round's decisions.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import AsyncExitStack
from pathlib import Path

from history_plan import Step, plan
from history_scenario import History
from history_world import Cluster, Deployment

ROUND_KILLS = 20


async def play(
    cluster: Cluster, seed: int, steps: list[Step], folder: Path, is_sabotaged: bool
) -> History:
    """One history. Raises what is wrong with it, after it was written to the folder."""
    async with AsyncExitStack() as stack:
        history = History(Deployment(cluster, f"history_{seed}"), seed, stack)
        try:
            await history.prepare()
            if is_sabotaged:
                await _sabotage(history)
            await history.run(steps)
            await history.settle()
            history.check(set())
        except BaseException:
            _keep(history, cluster, steps, folder)
            raise
        statuses = await history.place.stop()
        assert statuses == [0, 0], f"the servers ended with {statuses}"
        return history


async def _sabotage(history: History) -> None:
    session = await history.place.open_session("superuser")
    await session.run(
        "ALTER TABLE events ALTER COLUMN seq SET DEFAULT nextval('events_seq_seq'::regclass);"
    )
    await session.close()


def _keep(history: History, cluster: Cluster, steps: list[Step], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    history.record.save(folder)
    (folder / "plan.txt").write_text("\n".join(map(str, steps)) + "\n")
    (folder / "failure.txt").write_text(traceback.format_exc())
    for number, server in enumerate(history.place.servers):
        shutil.copy(server.log, folder / f"server{number}.log")
    for log in cluster.folder.glob("*.log"):
        shutil.copy(log, folder / f"postgres-{log.name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--rounds", type=int, default=0, help="at most; 0: as many as it takes")
    parser.add_argument(
        "--sabotage", action="store_true",
        help="numbers of the log are taken before a transaction has its id: must be found out",
    )  # fmt: skip
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "hito-soak")
    options = parser.parse_args()
    # What was started is stopped then as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    kills = events = rounds = 0
    seed = options.seed
    while (time.monotonic() - began < options.seconds or kills < options.kills) and (
        not options.rounds or rounds < options.rounds
    ):
        steps = plan(seed, kills=ROUND_KILLS)
        rounds += 1
        print(f"round {rounds}: HITO_HISTORY_SEED={seed}, {len(steps)} faults", flush=True)
        folder = options.folder / f"seed-{seed}"
        cluster = Cluster(is_durable=True)
        try:
            cluster.create()
            history = asyncio.run(play(cluster, seed, steps, folder, options.sabotage))
        except Exception as error:
            verdict = "VIOLATION" if _is_violation(error) else "ERROR"
            print(f"{verdict} in round {rounds}, HITO_HISTORY_SEED={seed}: {error}")
            print(f"the history is in {folder}")
            _sum_up(kills, events, rounds, began, verdict.lower())
            return 1
        finally:
            cluster.remove()
        kills += history.kills
        events += len(history.record.table)
        print(f"  {history.record.summary}", flush=True)
        print(f"  {kills} kills in {time.monotonic() - began:.0f} s", flush=True)
        seed = random.Random(f"{seed} next").randrange(1_000_000)
    _sum_up(kills, events, rounds, began, "no violation")
    return 0


def _is_violation(error: Exception) -> bool:
    """Otherwise the round itself could not be played: nothing is said of the log."""
    if isinstance(error, ExceptionGroup):
        return error.subgroup(AssertionError) is not None
    return isinstance(error, AssertionError)


def _sum_up(kills: int, events: int, rounds: int, began: float, verdict: str) -> None:
    seconds = time.monotonic() - began
    print(f"{verdict}: {kills} kills, {events} events, {rounds} rounds in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
