#!/usr/bin/env python3
"""Measures how well a real server finds what it should, and compares it with what was accepted.

Fills a throw-away server with parallel documentation, goals and code, asks it every query of
tasks.py in each mode, and asks BM25 and the same model in Python the same. Ends with 1 where a
figure is below Tests/Evaluation/baseline.json. docs/evaluation.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import List, Tuple

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(REPOSITORY / "clients" / "python" / "src"),
    str(REPOSITORY / "Tests" / "EndToEnd"),
]

import baseline  # noqa: E402
import corpus as corpora  # noqa: E402
import report  # noqa: E402
import sweep  # noqa: E402
import tasks as tasks_of  # noqa: E402
from encoders import Encoders  # noqa: E402
from hito_server import HitoServer  # noqa: E402
from metrics import RESAMPLES  # noqa: E402
from population import populate  # noqa: E402

AGREEMENT = 0.01
"""Share of queries that may have another place than in Python, with the same weights."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--accept", action="store_true", help="write the baseline anew")
    parser.add_argument("--binary", help="the hito program (default: HITO_BIN or the build's)")
    parser.add_argument("--resamples", type=int, default=RESAMPLES, help="of the bootstrap")
    parser.add_argument(
        "--sweep", action="store_true", help="also print what other constants would give"
    )
    part = parser.add_argument_group("a part only, compared with nothing")
    part.add_argument("--only", action="append", default=[], help="tasks whose name begins so")
    part.add_argument("--queries", type=int, default=0, help="so many of each task")
    arguments = parser.parse_args()
    if arguments.accept and (arguments.only or arguments.queries):
        parser.error("--accept needs everything to be measured")
    if arguments.resamples < 1000:
        parser.error("--resamples must be 1000 or more")
    return arguments


def main() -> int:
    arguments = options()
    corpus = corpora.find()
    server = HitoServer(arguments.binary)
    try:
        results, silences = asyncio.run(evaluate(server, corpus, arguments))
    except BaseException:
        if server.log.exists():
            print(server.tail(), file=sys.stderr)
        raise
    finally:
        server.remove()
    measured = [*results, *silences]
    loss = report.judge_loss(results) if results else None
    entries = [baseline.entry(one) for one in measured]
    if loss:
        entries.append(baseline.loss_entry(corpus.name, loss))
    report.print_table(results)
    report.print_silence(silences)
    decided = report.decisions(results, silences)
    report.print_decisions(decided)
    if loss:
        report.print_loss(loss)
    print()
    worse = broken_promises(results)
    if arguments.accept:
        baseline.accept(entries)
        print(f"accepted: {baseline.BASELINE.relative_to(REPOSITORY)}")
    elif not arguments.only and not arguments.queries:
        fallen, risen = baseline.compare(entries)
        worse += fallen
        for line in risen:
            print(f"BETTER: {line}; keep it with --accept")
        if not fallen:
            print("holds: no figure is below the baseline")
    for line in worse:
        print(f"MISSED: {line}")
    report.print_figures(measured)
    report.print_summaries(results, decided)
    if loss:
        report.print_loss_figures(loss)
    return 1 if worse else 0


async def evaluate(
    server: HitoServer, corpus: corpora.Corpus, arguments: argparse.Namespace
) -> Tuple[List[report.Result], List[report.Silence]]:
    say(f"documentation: {corpus.name}, {len(corpus.documents['es'])} documents in each language")
    await server.restart()
    people = await populate(server, corpus)
    say("everything is stored and has its vectors")
    results, silences = [], []
    try:
        chosen = tasks_of.cut(
            tasks_of.all_tasks(corpus, people), tuple(arguments.only), arguments.queries
        )
        off_topic = tasks_of.off_topic_tasks(chosen)
        encoders = Encoders.load()
        for task in chosen:
            outcome = await tasks_of.measure(task, encoders)
            results.append(report.judge(task, outcome, arguments.resamples))
            say(f"{task.name}: {len(task.queries)} queries")
        for task in off_topic:
            silent = await tasks_of.silences(task)
            silences.append(report.judge_silence(task, silent, arguments.resamples))
        if arguments.sweep:
            say("everything once more, for the sweep")
            found = {
                task.name: await sweep.candidates(task, encoders.installed) for task in chosen
            }
            answered = {
                task.name: (task, await sweep.candidates(task, encoders.installed)) for task in off_topic
            }
            sweep.print_sweep(chosen, found, answered)
    finally:
        await people.close()
    status = await asyncio.to_thread(server.stop)
    assert status == 0, f"the server ended with {status}"
    return results, silences


def broken_promises(results: List[report.Result]) -> List[str]:
    """By meaning the server must order as its weights do in Python, but for nearly the same texts; and
    a learner's program must get the same by the call of its kind as by `Search`, which is what is
    measured here."""
    differing = [text for result in results for text in result.outcome.disagreements]
    total = sum(len(result.task.queries) for result in results)
    calls = sum(result.outcome.differing_calls for result in results)
    promises = {
        f"{len(differing)} of {total} queries have another place by meaning than the same model "
        f"gives them in Python (at most {AGREEMENT:.0%})": len(differing) <= AGREEMENT * total,
        f"{calls} queries are answered otherwise by SearchSimilarGoals, SearchCourseDocuments or "
        "SearchValidatedCode than by Search (none)": calls == 0,
    }
    for line, holds in promises.items():
        if holds:
            print(f"holds: {line}")
    broken = [line for line, holds in promises.items() if not holds]
    return broken + differing[:10] if broken else []


_began = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - _began:6.1f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
