"""Cases, their names, and how each is expanded."""

from __future__ import annotations

import fnmatch
import re
from typing import Any, Awaitable, Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple

ALL = ("whole", "merged", "bytes", "random")
"""How what a case sends is cut: a record for each write; one record for all that is sent until the case
reads; a record for each byte; records cut at random, with segments cut at random too."""

TWO = ("whole", "bytes")
ONE = ("whole",)

Body = Callable[..., Awaitable[None]]


class TimeFactor:
    """How many times as long cases wait for what must come, on a machine that has more to do."""

    value = 1.0


class Failure(Exception):
    """What was expected, and what came instead."""


class Skipped(Exception):
    """The case needs what the runner was not given."""


class Case(NamedTuple):
    """One case as it runs."""

    name: str
    clause: str
    split: str
    body: Body
    arguments: Tuple[Any, ...]
    seconds: float
    """Its bound."""
    phase: str
    """`normal`, or `drain`: with those that wait for the server to drain."""


class Registry:
    """The cases of one side."""

    def __init__(self) -> None:
        self.cases: List[Case] = []
        self._names: Dict[str, None] = {}

    def case(
        self, clause: str, title: str, splits: Sequence[str] = ONE, *, seconds: float = 10.0,
        phase: str = "normal",
    ) -> Callable[[Body], Body]:  # fmt: skip
        """Registers a function once for each split."""

        def register(body: Body) -> Body:
            self._add(clause, title, splits, body, (), seconds, phase)
            return body

        return register

    def table(
        self, clause: str, rows: Mapping[str, Any], splits: Sequence[str] = ONE, *,
        seconds: float = 10.0,
    ) -> Callable[[Body], Body]:  # fmt: skip
        """Registers a function for each row of a table; the row is its argument."""

        def register(body: Body) -> Body:
            for title, row in rows.items():
                # `W2.5:title` in a table of several clauses.
                own, _, rest = title.rpartition(":")
                self._add(own or clause, rest, splits, body, (row,), seconds, "normal")
            return body

        return register

    def chosen(self, pattern: str) -> List[Case]:
        return [case for case in self.cases if matches(case.name, pattern)]

    def _add(
        self, clause: str, title: str, splits: Sequence[str], body: Body, arguments: Tuple[Any, ...],
        seconds: float, phase: str,
    ) -> None:  # fmt: skip
        if not re.fullmatch(r"[a-z0-9_.-]+", title):
            raise ValueError(f"not a title: {title!r}")
        for split in splits:
            name = f"{clause}/{title}" + ("" if len(splits) == 1 else f"/{split}")
            if name in self._names:
                raise ValueError(f"two cases are {name}")
            self._names[name] = None
            self.cases.append(Case(name, clause, split, body, arguments, seconds, phase))


def matches(name: str, pattern: str) -> bool:
    """`*` and `?` as in a shell; a pattern that is the beginning of a name up to a `/` is enough."""
    return fnmatch.fnmatchcase(name, pattern) or name.startswith(pattern.rstrip("/") + "/")
