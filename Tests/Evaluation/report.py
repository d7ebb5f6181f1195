"""The table for people, the lines for programs, and the comparison with what was accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from corpus import ACCEPTED
from metrics import METRICS, Bootstrap, Score, values
from tasks import Outcome, Task

BASELINE = Path(__file__).resolve().parent / "baseline.json"
SYSTEMS = ("hybrid", "vector", "text", "bm25", "python")
GUARDED = ("hybrid", "vector", "text")
PEERS = {
    "hybrid": ("bm25", "BM25 alone"),
    "vector": ("python", "the same model in Python"),
    "text": ("bm25", "BM25 alone"),
}
TOLERANCE = 0.02
"""The same machine repeats every figure. Another processor rounds the model's sums otherwise, which
may turn a query or two whose first results are equally close."""

Baseline = Dict[str, Dict[str, Dict[str, float]]]
"""By data and task: the number of queries, and the figures by `metric.system`."""


class Result(NamedTuple):
    """A task with the scores of every system, and of the pairs that are compared."""

    task: Task
    outcome: Outcome
    scores: Dict[str, Dict[str, Score]]
    """By system, then metric."""
    leads: Dict[str, Score]
    """By system: how much the hybrid's reciprocal rank is above it."""


class Silence(NamedTuple):
    """How often a question without an answer is given none."""

    task: Task
    score: Score


Measured = Union[Result, Silence]


def judge_silence(task: Task, silent: List[bool], resamples: int) -> Silence:
    sample = np.asarray(silent, dtype=np.float64)
    return Silence(task, Bootstrap(len(silent), resamples).score(sample))


def judge(task: Task, outcome: Outcome, resamples: int) -> Result:
    bootstrap = Bootstrap(len(task.queries), resamples)
    samples = {system: values(outcome.places[system]) for system in SYSTEMS}
    scores = {
        system: {metric: bootstrap.score(sample[metric]) for metric in METRICS}
        for system, sample in samples.items()
    }
    leads = {
        system: bootstrap.score(samples["hybrid"]["mrr"] - samples[system]["mrr"])
        for system in ("vector", "text", "bm25")
    }
    return Result(task, outcome, scores, leads)


def print_table(results: List[Result]) -> None:
    for result in results:
        task = result.task
        print(f"\n### `{task.name}`: {task.title} ({len(task.queries)} queries, "
              f"{len(task.texts)} passages)\n")  # fmt: skip
        print("| | recall@1 | recall@5 | MRR@10 | nDCG@10 | no answer |")
        print("|---|---:|---:|---:|---:|---:|")
        for system in SYSTEMS:
            cells = [cell(result.scores[system][metric]) for metric in METRICS]
            nothing = result.outcome.abstained.get(system, "")
            print(f"| {system} | " + " | ".join(cells) + f" | {nothing} |")
        leads = "; ".join(
            f"{system} {lead.value:+.3f} [{lead.interval[0]:+.3f}, {lead.interval[1]:+.3f}]"
            for system, lead in result.leads.items()
        )
        print(f"\nMRR of hybrid above: {leads}")


def cell(score: Score) -> str:
    low, high = score.interval
    return f"{100 * score.value:.1f} [{100 * low:.0f}–{100 * high:.0f}]"


def print_silence(silences: List[Silence]) -> None:
    print("\n### Questions that have no answer\n")
    print("| asked of | queries | given none |")
    print("|---|---:|---:|")
    for silence in silences:
        print(f"| {silence.task.name} | {len(silence.task.queries)} | {cell(silence.score)} |")


KINDS = {
    "documentation": ("docs_question",), "goals": ("goals",), "code": ("code",),
}  # fmt: skip
"""The tasks whose questions have an answer, by what they ask of; headings and sections are no questions."""


HELD_OUT = "goals_heldout"
"""The tasks that nothing was tuned on."""


class Decision(NamedTuple):
    """What comes of saying nothing, for one kind: shares, and of how many questions."""

    kind: str
    part: str
    answered: float
    off_topic: int
    silent: float
    questions: int


def decisions(results: Sequence[Result], silences: Sequence[Silence]) -> List[Decision]:
    """Off-topic questions that were answered and questions that were not. Of the questions with an answer every
    second one is for calibration, and the others are reported, as are all of the goals that are held out."""
    made = []
    for part, prefix in (("calibration", "calibration"), ("reported", "off_topic")):
        for kind, names in KINDS.items():
            short = {"documentation": "docs"}.get(kind, kind)
            asked = [s for s in silences if s.task.name.startswith(f"{prefix}_{short}")]
            count = sum(len(s.task.queries) for s in asked)
            answered = sum((1 - s.score.value) * len(s.task.queries) for s in asked)
            silent = [
                one
                for result in results
                if result.task.name.startswith(names)
                for one in answered_with_nothing(result, part)
            ]
            if count and silent:
                share = sum(silent) / len(silent)
                made.append(Decision(kind, part, answered / count, count, share, len(silent)))
    return made


def answered_with_nothing(result: Result, part: str) -> List[bool]:
    """Of the task's questions that belong to the part."""
    silent = result.outcome.silent
    if result.task.name.startswith(HELD_OUT):
        return silent if part == "reported" else []
    return silent[0 if part == "calibration" else 1 :: 2]


def print_decisions(made: Sequence[Decision]) -> None:
    print("\n### Saying nothing\n")
    print("| | set | off topic, answered | questions with an answer, silent |")
    print("|---|---|---:|---:|")
    for one in made:
        print(
            f"| {one.kind} | {one.part} | {100 * one.answered:.1f} % of {one.off_topic} | "
            f"{100 * one.silent:.1f} % of {one.questions} |"
        )


def print_summaries(results: Sequence[Result], made: Sequence[Decision]) -> None:
    """Figures over several tasks."""
    reported = [one for one in made if one.part == "reported"]
    if len(reported) == len(KINDS):
        for name, value in (
            ("off_topic_answered", max(one.answered for one in reported)),
            ("wrong_silence", max(one.silent for one in reported)),
        ):
            print_summary(f"eval.{name}.hybrid", value, "share, the worst of three kinds")
    for name, prefix in (("docs_questions", "docs_question"), ("goals_heldout", HELD_OUT)):
        asked = [result for result in results if result.task.name.startswith(prefix)]
        if not asked:
            continue
        places = [place for result in asked for place in result.outcome.places["hybrid"]]
        for metric in ("recall5", "mrr"):
            print_summary(
                f"eval.{name}.{metric}.hybrid", float(values(places)[metric].mean()),
                f"of {len(places)} queries",
            )  # fmt: skip


def print_summary(name: str, value: float, unit: str) -> None:
    line = {"name": name, "ours": round(value, 4), "peer": None, "theirs": None, "ratio": None}
    print("FIGURE " + json.dumps({**line, "unit": unit}))


def print_figures(measured: Sequence[Measured]) -> None:
    """One line per task, metric and system. `ratio` above 1: ours is better."""
    for one in measured:
        if isinstance(one, Silence):
            print_line(one.task, "silence", "hybrid", one.score)
            continue
        for metric in METRICS:
            for system in SYSTEMS:
                peer = PEERS.get(system)
                theirs = one.scores[peer[0]][metric].value if peer else None
                print_line(
                    one.task, metric, system, one.scores[system][metric],
                    peer[1] if peer else None, theirs,
                )  # fmt: skip


def print_line(
    task: Task, metric: str, system: str, score: Score,
    peer: Optional[str] = None, theirs: Optional[float] = None,
) -> None:  # fmt: skip
    count = len(task.queries)
    of = "mean of" if metric in ("mrr", "ndcg10") else "share of"
    line = {
        "name": f"eval.{task.name}.{metric}.{system}",
        "ours": round(score.value, 4),
        "peer": peer,
        "theirs": None if theirs is None else round(theirs, 4),
        "ratio": round(score.value / theirs, 3) if theirs and score.value else None,
        "unit": f"{of} {count} queries",
        "interval": [round(end, 4) for end in score.interval],
        "data": task.group,
    }
    print("FIGURE " + json.dumps(line))


def read_baseline() -> Baseline:
    return json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}


def guarded(one: Measured) -> Dict[str, float]:
    """The figures that must not fall."""
    if isinstance(one, Silence):
        return {"silence.hybrid": one.score.value}
    return {
        f"{metric}.{system}": one.scores[system][metric].value
        for system in GUARDED
        for metric in METRICS
    }


def accept(measured: Sequence[Measured]) -> None:
    """Writes what was measured; the other documentation's figures stay as they are."""
    baseline = read_baseline()
    for group in {one.task.group for one in measured}:
        baseline[group] = {}
    for one in measured:
        baseline[one.task.group][one.task.name] = {
            "queries": len(one.task.queries),
            **{name: round(value, 4) for name, value in guarded(one).items()},
        }
    ordered = {group: baseline[group] for group in sorted(baseline)}
    BASELINE.write_text(json.dumps(ordered, indent=2) + "\n", "utf-8")


def compare(measured: Sequence[Measured]) -> Tuple[List[str], List[str]]:
    """What is worse than accepted, and what is better and should be accepted."""
    baseline = read_baseline()
    worse: List[str] = []
    better: List[str] = []
    for one in measured:
        task, figures = one.task, guarded(one)
        accepted = baseline.get(task.group, {}).get(task.name)
        count = len(task.queries)
        if task.group not in ACCEPTED:
            continue
        if accepted is None or set(accepted) != {"queries", *figures}:
            worse.append(f"{task.group}/{task.name}: no baseline; accept one with --accept")
            continue
        if accepted["queries"] != count:
            worse.append(
                f"{task.group}/{task.name}: {count} queries, the baseline is of "
                f"{accepted['queries']}; accept the new data with --accept"
            )
            continue
        # Never less than one query: in a small set one alone is more than the tolerance. The rest
        # is for the rounding of the file.
        tolerance = max(TOLERANCE, 1 / count) + 1e-4
        for name, value in figures.items():
            metric, system = name.split(".")
            line = (
                f"eval.{task.name}.{metric}.{system} ({task.group}) is {value:.4f}, accepted was "
                f"{accepted[name]:.4f}, tolerance {tolerance:.3f}"
            )
            if value < accepted[name] - tolerance:
                worse.append(line)
            elif value > accepted[name] + tolerance:
                better.append(line)
    return worse, better
