"""How the figures would be with other constants of the fusion (RankFusion in Sources/Retrieval) and of
the decision to say nothing (Closeness). `make eval ARGS=--sweep`.

The server is asked once for everything it has on a query; how well the words match follows from the
score, and everything is put in order again here, with each set of constants.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
from encoders import Encoder
from metrics import DEPTH, place_of, values
from population import key_of
from rankers import Key, everyday_sentences
from tasks import Query, Task, ask_all, search

Constants = Tuple[float, float, float]
TODAY: Constants = (0.35, 2.0, 0.0)
"""What the server has: weight of words, that where a passage has every word, and the evidence that is
wanted beyond today's, in thresholds of similarity."""

GOAL_WEIGHT = 0.1
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0)
WEIGHTS_OF_ALL = (0.35, 0.5, 1.0, 1.5, 2.0, 3.0)
EVIDENCE = (-9.0, -0.6, -0.4, -0.2, -0.1, 0.0, 0.1, 0.2, 0.4, 0.6)
THRESHOLD = 0.2
FACTORS = {"course": 0.42, "goal": 0.62, "code_snapshot": 0.2}
EVERYDAY_WEIGHT = 0.5
SAMPLE = 3
"""How many of the nearest stand for the scope."""


class Candidate(NamedTuple):
    """A result with all that the order can be made from."""

    key: Key
    similarity: float
    match: float
    has_all_words: bool


class Found(NamedTuple):
    """Of one query."""

    candidates: List[Candidate]
    everyday: float
    """How near the question is to what is about nothing here."""


async def candidates(task: Task, encoder: Encoder) -> List[Found]:
    wide = await ask_all(task, lambda query: search(task, query, "hybrid", -1, limit=100))
    # Nothing is as similar as 1: what is there all the same has every word.
    whole = await ask_all(task, lambda query: search(task, query, "hybrid", 1, limit=100))
    everyday = encoder.vectors([query.text for query in task.queries]) @ (
        encoder.vectors(everyday_sentences()).T
    )
    found: List[Found] = []
    for everything, kept, near in zip(wide, whole, everyday):
        have_all = {key_of(hit) for hit in kept.hits}
        made = []
        for hit in everything.hits:
            has_all = key_of(hit) in have_all
            weight = TODAY[1] if has_all else GOAL_WEIGHT if task.entity_type == "goal" else TODAY[0]
            match = (hit.score - hit.citation.similarity) / weight
            made.append(Candidate(key_of(hit), hit.citation.similarity, match, has_all))
        found.append(Found(made, nearness(near)))
    return found


def nearness(similarities: Sequence[float]) -> float:
    nearest = sorted(similarities, reverse=True)[:SAMPLE]
    return float(nearest[0] + np.mean(nearest))


def ordered(task: Task, query: Found, constants: Constants) -> List[Key]:
    """The results as the server would order them with these constants."""
    weight, weight_of_all, evidence = constants

    def score(c: Candidate) -> float:
        return c.similarity + c.match * (weight_of_all if c.has_all_words else weight)

    found = query.candidates
    ranked = sorted(found, key=lambda c: -score(c))
    if not found:
        return []
    total = nearness([c.similarity for c in found]) + 0.1 * ranked[0].match
    total -= EVERYDAY_WEIGHT * query.everyday
    is_close = total >= (FACTORS[task.entity_type] + evidence) * THRESHOLD
    floor = THRESHOLD / 2 if is_close else 2
    return [c.key for c in ranked if c.has_all_words or c.similarity >= floor][:DEPTH]


def cell(task: Task, queries: Sequence[Query], found: Sequence[Found], constants: Constants) -> str:
    places = [place_of(q.right, ordered(task, f, constants)) for q, f in zip(queries, found)]
    means = {metric: 100 * float(np.mean(sample)) for metric, sample in values(places).items()}
    return f"{means['recall5']:.1f} / {means['mrr']:.1f}"


def print_sweep(
    tasks: Sequence[Task],
    found: Dict[str, List[Found]],
    off_topic: Dict[str, Tuple[Task, List[Found]]],
) -> None:
    """Tables of recall@5 and MRR in percent, and of how often what has no answer is given none."""

    def single(title: str, at: int, choices: Sequence[float]) -> None:
        columns = [(*TODAY[:at], choice, *TODAY[at + 1 :]) for choice in choices]
        print(f"\n## {title}\n\n| task | " + " | ".join(f"{c:g}" for c in choices) + " |")
        print("|---|" + "---:|" * len(choices))
        for task in tasks:
            cells = [cell(task, task.queries, found[task.name], one) for one in columns]
            print(f"| `{task.name}` | " + " | ".join(cells) + " |")
        for name, (task, per_query) in off_topic.items():
            silent = [np.mean([not ordered(task, f, one) for f in per_query]) for one in columns]
            print(f"| `{name}`: none | " + " | ".join(f"{100 * s:.0f}" for s in silent) + " |")

    single("Weight of words", 0, WEIGHTS)
    single("Weight where a passage has all of them", 1, WEIGHTS_OF_ALL)
    single("Evidence wanted beyond today's", 2, EVIDENCE)
