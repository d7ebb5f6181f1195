"""What a list of results is worth, and how sure that is."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

DEPTH = 10
"""How many results are looked at; what stands after them counts as not found."""
METRICS = ("recall1", "recall5", "mrr", "ndcg10")
RESAMPLES = 2000
SEED = 20261128

Interval = Tuple[float, float]


class Score(NamedTuple):
    """A mean over all queries with its 95 % interval."""

    value: float
    interval: Interval


def values(places: Sequence[int]) -> Dict[str, np.ndarray]:
    """The metrics of each query, by the place of its one right result (from 1; 0: not found).

    With one right result, nDCG is the discount of its place: the ideal list has it first.
    """
    place = np.asarray(places, dtype=np.float64)
    found = (place > 0) & (place <= DEPTH)
    at = np.where(found, place, 1)
    return {
        "recall1": (found & (place <= 1)).astype(np.float64),
        "recall5": (found & (place <= 5)).astype(np.float64),
        "mrr": np.where(found, 1 / at, 0),
        "ndcg10": np.where(found, 1 / np.log2(at + 1), 0),
    }


class Bootstrap:
    """Percentile bootstrap over queries. Every system sees the same resamples, so that differences
    are of pairs."""

    def __init__(self, query_count: int, resamples: int = RESAMPLES) -> None:
        random = np.random.default_rng(SEED)
        self._picks = random.integers(0, query_count, (resamples, query_count))

    def score(self, sample: np.ndarray) -> Score:
        means = sample[self._picks].mean(axis=1)
        low, high = np.percentile(means, [2.5, 97.5])
        return Score(float(sample.mean()), (float(low), float(high)))


def place_of(right: object, ranked: List[object]) -> int:
    """From 1; 0 where it is not among the first DEPTH."""
    head = ranked[:DEPTH]
    return head.index(right) + 1 if right in head else 0
