"""How the figures would be with other constants of the fusion (RankFusion in Sources/Domain) and
another threshold of similarity (ModelProviders in Sources/hito). `make eval ARGS=--sweep`.

The server is asked once for everything it has on a query, with both places and the similarity; the
fusion is then done again here, with each set of constants.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
from metrics import DEPTH, place_of, values
from population import key_of
from rankers import Key
from tasks import Query, Task, ask_all, search

TODAY = (5.0, 0.1, 1.5, 0.2)
"""What the server has: k, weight of words, that where a passage has every word, threshold."""

THRESHOLDS = (-1.0, 0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
KS = (1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
TOGETHER = (
    TODAY,
    (60.0, 0.3, 0.3, 0.3),
    (5.0, 0.2, 1.0, 0.2),
    (5.0, 0.1, 1.0, 0.2),
    (5.0, 0.2, 1.5, 0.2),
    (2.0, 0.1, 1.0, 0.2),
    (5.0, 0.1, 1.5, 0.15),
)
CANDIDATES = DEPTH * 4 + 20
"""How many places the server looks at, each way, for DEPTH results."""


class Candidate(NamedTuple):
    """A result with all that the order can be made from."""

    key: Key
    similarity: float
    by_meaning: int
    by_words: int
    has_all_words: bool


Found = List[List[Candidate]]
"""The candidates of each query."""
Constants = Tuple[float, float, float, float]


async def candidates(task: Task) -> Found:
    wide = await ask_all(task, lambda query: search(task, query, "hybrid", -1, limit=100))
    # Nothing is as similar as 1: what is there all the same has every word.
    whole = await ask_all(task, lambda query: search(task, query, "hybrid", 1, limit=100))
    found: Found = []
    for everything, kept in zip(wide, whole):
        have_all = {key_of(hit) for hit in kept.hits}
        found.append(
            [
                Candidate(
                    key_of(hit), hit.citation.similarity, hit.vector_rank, hit.text_rank,
                    key_of(hit) in have_all,
                )
                for hit in everything.hits
            ]
        )  # fmt: skip
    return found


def ordered(found: List[Candidate], constants: Constants) -> List[Key]:
    """The results as the server would order them with these constants."""
    k, weight, weight_of_all, threshold = constants

    def share(place: int) -> float:
        return 1 / (k + place) if 0 < place <= CANDIDATES else 0.0

    def score(c: Candidate) -> float:
        return share(c.by_meaning) + share(c.by_words) * (
            weight_of_all if c.has_all_words else weight
        )

    close = [c for c in found if c.similarity >= threshold or c.has_all_words]
    scored = [(score(c), c.key) for c in close]
    return [key for score, key in sorted(scored, key=lambda s: -s[0]) if score > 0][:DEPTH]


def cell(queries: Sequence[Query], found: Found, constants: Constants) -> str:
    places = [place_of(q.right, ordered(f, constants)) for q, f in zip(queries, found)]
    means = {metric: 100 * float(np.mean(sample)) for metric, sample in values(places).items()}
    return f"{means['recall5']:.1f} / {means['mrr']:.1f}"


def print_sweep(
    tasks: Sequence[Task], found: Dict[str, Found], off_topic: Dict[str, Found]
) -> None:
    """Tables of recall@5 and MRR in percent, and of how often what has no answer is given none."""

    def table(title: str, columns: Sequence[Constants], names: Sequence[str]) -> None:
        print(f"\n## {title}\n\n| task | " + " | ".join(names) + " |")
        print("|---|" + "---:|" * len(names))
        for task in tasks:
            cells = [cell(task.queries, found[task.name], constants) for constants in columns]
            print(f"| `{task.name}` | " + " | ".join(cells) + " |")
        for name, per_query in off_topic.items():
            silent = [
                np.mean([not ordered(f, constants) for f in per_query]) for constants in columns
            ]
            print(f"| `{name}`: none | " + " | ".join(f"{100 * s:.0f}" for s in silent) + " |")

    def single(title: str, at: int, choices: Sequence[float], rest: Constants = TODAY) -> None:
        columns = [_with(rest, at, choice) for choice in choices]
        table(title, columns, [f"{choice:g}" for choice in choices])

    silent = (*TODAY[:3], -1.0)
    single("Threshold of similarity", 3, THRESHOLDS)
    single("Weight of words, without a threshold", 1, WEIGHTS, silent)
    single("k, without a threshold", 0, KS, silent)
    names = [" ".join(f"{value:g}" for value in constants) for constants in TOGETHER]
    table("Together: k, weight, weight where all words, threshold", TOGETHER, names)


def _with(constants: Constants, at: int, value: float) -> Constants:
    k, weight, weight_of_all, threshold = constants
    if at == 1:
        weight = weight_of_all = value
    return (value if at == 0 else k, weight, weight_of_all, value if at == 3 else threshold)
