"""The table for people and the lines for programs."""

from __future__ import annotations

import json
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from metrics import METRICS, Bootstrap, Score, values
from tasks import Outcome, Task

SYSTEMS = ("hybrid", "vector", "text", "bm25", "python")
PEERS = {
    "hybrid": ("bm25", "BM25 alone"),
    "vector": ("python", "the same model in Python"),
    "text": ("bm25", "BM25 alone"),
}


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


class Loss(NamedTuple):
    """What rounding the encoder's weights costs, over all tasks."""

    queries: int
    texts: int
    cosine_min: float
    cosine_mean: float
    same_first: float
    """Share of queries whose first result by meaning is the same with the weights of the package."""
    same_place: float
    """Share of queries whose answer has the same place."""


Measured = Union[Result, Silence]


def judge_silence(task: Task, silent: List[bool], resamples: int) -> Silence:
    sample = np.asarray(silent, dtype=np.float64)
    return Silence(task, Bootstrap(len(silent), resamples).score(sample))


def judge_loss(results: Sequence[Result]) -> Loss:
    parts = [result.outcome.rounding for result in results]
    cosines = {text: cosine for part in parts for text, cosine in part.cosines.items()}
    queries = sum(len(result.task.queries) for result in results)
    near = np.fromiter(cosines.values(), dtype=np.float64)
    return Loss(
        queries, len(near), float(near.min()), float(near.mean()),
        1 - sum(len(part.changed_first) for part in parts) / queries,
        1 - sum(part.changed_places for part in parts) / queries,
    )  # fmt: skip


def print_loss(loss: Loss) -> None:
    print("\n### Weights of 8 bits beside those of the package, in Python\n")
    print("| queries | another first result | another place of the answer | texts | cosine, mean | least |")
    print("|---:|---:|---:|---:|---:|---:|")
    print(
        f"| {loss.queries} | {100 * (1 - loss.same_first):.2f} % | {100 * (1 - loss.same_place):.2f} % "
        f"| {loss.texts} | {loss.cosine_mean:.5f} | {loss.cosine_min:.5f} |"
    )


def print_loss_figures(loss: Loss) -> None:
    of_queries, of_texts = f"share of {loss.queries} queries", f"of {loss.texts} texts"
    for name, value, unit in (
        ("same_first", loss.same_first, of_queries), ("same_place", loss.same_place, of_queries),
        ("cosine_mean", loss.cosine_mean, of_texts), ("cosine_min", loss.cosine_min, of_texts),
    ):  # fmt: skip
        print_summary(f"eval.encoder_rounding.{name}", value, unit, 5)


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


def print_summary(name: str, value: float, unit: str, digits: int = 4) -> None:
    line = {"name": name, "ours": round(value, digits), "peer": None, "theirs": None, "ratio": None}
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
