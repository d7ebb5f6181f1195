"""TAP on standard output, JUnit in a file, and what is a failure where some are known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Dict, List, NamedTuple
from xml.etree import ElementTree

from .cases import matches
from .engine import FAILED, PASSED, SKIPPED, Outcome


class Known:
    """The cases that must fail: `PATTERN  reason`, one a line."""

    def __init__(self, path: str = "") -> None:
        self.reasons: Dict[str, str] = {}
        for line in Path(path).read_text().splitlines() if path else ():
            pattern, _, reason = line.partition(" ")
            if pattern and not pattern.startswith("#"):
                if not reason.strip():
                    raise ValueError(f"{path}: {pattern} has no reason")
                self.reasons[pattern] = reason.strip()

    def reason(self, name: str) -> str:
        return next((why for known, why in self.reasons.items() if matches(name, known) or name == known), "")

    def unused(self, names: List[str]) -> List[str]:
        """Patterns that no case has."""
        return [known for known in self.reasons if not any(matches(n, known) or n == known for n in names)]


class Verdict(NamedTuple):
    """The figures of a run."""

    passed: int
    failed: int
    known: int
    skipped: int

    @property
    def is_good(self) -> bool:
        return self.failed == 0 and self.passed > 0


class Reporter:
    """Tells each outcome as it comes."""

    def __init__(self, known: Known, count: int, quiet: bool) -> None:
        self._known, self._quiet = known, quiet
        self._number = 0
        self.outcomes: List[Outcome] = []
        self._say(f"TAP version 14\n1..{count}")

    def told(self, outcome: Outcome) -> None:
        self._number += 1
        outcome = self._judge(outcome)
        self.outcomes.append(outcome)
        name, why = outcome.case.name, outcome.reason.replace("\n", " ")
        if outcome.state == SKIPPED:
            directive = "known failure: " if self._known.reason(name) else ""
            self._say(f"ok {self._number} - {name} # SKIP {directive}{why}")
        elif outcome.state == PASSED:
            self._say(f"ok {self._number} - {name}")
        else:
            self._say(f"not ok {self._number} - {name}\n  # {why}", always=True)

    def verdict(self) -> Verdict:
        count = {PASSED: 0, FAILED: 0, SKIPPED: 0}
        known = 0
        for outcome in self.outcomes:
            if outcome.state == SKIPPED and outcome.reason.startswith("fails as known"):
                known += 1
            else:
                count[outcome.state] += 1
        return Verdict(count[PASSED], count[FAILED], known, count[SKIPPED])

    def junit(self, path: str, suite: str) -> None:
        verdict = self.verdict()
        root = ElementTree.Element(
            "testsuite", name=f"hito-conformance {suite}", tests=str(len(self.outcomes)),
            failures=str(verdict.failed), skipped=str(verdict.known + verdict.skipped),
        )  # fmt: skip
        for outcome in self.outcomes:
            clause, _, title = outcome.case.name.partition("/")
            node = ElementTree.SubElement(
                root, "testcase", classname=clause, name=title, time=f"{outcome.seconds:.3f}"
            )
            if outcome.state != PASSED:
                kind = "failure" if outcome.state == FAILED else "skipped"
                ElementTree.SubElement(node, kind, message=outcome.reason)
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)

    def _judge(self, outcome: Outcome) -> Outcome:
        """A known failure counts as one, and as an error where it passes."""
        why = self._known.reason(outcome.case.name)
        if not why or outcome.state == SKIPPED:
            return outcome
        if outcome.state == FAILED:
            return outcome._replace(state=SKIPPED, reason=f"fails as known ({why}): {outcome.reason}")
        return outcome._replace(state=FAILED, reason=f"passes, and is listed as a known failure: {why}")

    def _say(self, text: str, always: bool = False) -> None:
        if always or not self._quiet:
            print(text)
            sys.stdout.flush()
