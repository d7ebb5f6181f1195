"""What was accepted, and the comparison with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple

from corpus import ACCEPTED
from metrics import METRICS
from report import Loss, Measured, Silence

BASELINE = Path(__file__).resolve().parent / "baseline.json"
GUARDED = ("hybrid", "vector", "text")
TOLERANCE = 0.02
"""The same machine repeats every figure. Another processor rounds the model's sums otherwise, which
may turn a query or two whose first results are equally close."""
COSINE_TOLERANCE = 1e-4
LOSS_TOLERANCE = 0.002
"""Rounding the weights may turn some queries in a thousand; that is no reason to let it turn twenty."""

Baseline = Dict[str, Dict[str, Dict[str, float]]]
"""By data and task: the number of queries, and the figures by `metric.system`."""


class Entry(NamedTuple):
    """Figures that must not fall, each by no more than its tolerance."""

    group: str
    name: str
    count: int
    figures: Dict[str, Tuple[float, float]]
    """By name: value and tolerance."""


def entry(one: Measured) -> Entry:
    count = len(one.task.queries)
    # Never less than one query: in a small set one alone is more than the tolerance. The rest is for
    # the rounding of the file.
    tolerance = max(TOLERANCE, 1 / count) + 1e-4
    if isinstance(one, Silence):
        figures = {"silence.hybrid": (one.score.value, tolerance)}
    else:
        figures = {
            f"{metric}.{system}": (one.scores[system][metric].value, tolerance)
            for system in GUARDED
            for metric in METRICS
        }
    return Entry(one.task.group, one.task.name, count, figures)


def loss_entry(group: str, loss: Loss) -> Entry:
    """Depends on the documentation, as all tasks together do."""
    figures = {
        "same_first.python": (loss.same_first, LOSS_TOLERANCE),
        "same_place.python": (loss.same_place, LOSS_TOLERANCE),
        "cosine_mean.python": (loss.cosine_mean, COSINE_TOLERANCE),
        "cosine_min.python": (loss.cosine_min, COSINE_TOLERANCE),
    }
    return Entry(group, "encoder_rounding", loss.queries, figures)


def read() -> Baseline:
    return json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}


def accept(measured: Sequence[Entry]) -> None:
    """Writes what was measured; the other documentation's figures stay as they are."""
    baseline = read()
    for group in {one.group for one in measured}:
        baseline[group] = {}
    for one in measured:
        baseline[one.group][one.name] = {
            "queries": one.count,
            **{
                name: round(value, 5 if name.startswith("cosine") else 4)
                for name, (value, _) in one.figures.items()
            },
        }
    ordered = {group: baseline[group] for group in sorted(baseline)}
    BASELINE.write_text(json.dumps(ordered, indent=2) + "\n", "utf-8")


def compare(measured: Sequence[Entry]) -> Tuple[List[str], List[str]]:
    """What is worse than accepted, and what is better and should be accepted."""
    known = read()
    worse: List[str] = []
    better: List[str] = []
    for one in measured:
        accepted = known.get(one.group, {}).get(one.name)
        if one.group not in ACCEPTED:
            continue
        if accepted is None or set(accepted) != {"queries", *one.figures}:
            worse.append(f"{one.group}/{one.name}: no baseline; accept one with --accept")
            continue
        if accepted["queries"] != one.count:
            worse.append(
                f"{one.group}/{one.name}: {one.count} queries, the baseline is of "
                f"{accepted['queries']}; accept the new data with --accept"
            )
            continue
        for name, (value, tolerance) in one.figures.items():
            metric, system = name.split(".")
            line = (
                f"eval.{one.name}.{metric}.{system} ({one.group}) is {value:.5g}, accepted was "
                f"{accepted[name]:.5g}, tolerance {tolerance:.4g}"
            )
            if value < accepted[name] - tolerance:
                worse.append(line)
            elif value > accepted[name] + tolerance:
                better.append(line)
    return worse, better
