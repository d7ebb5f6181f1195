"""The three queries of the design notes, run by psql as they stand."""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple

from hito_server import REPOSITORY, HitoServer
from psql import Session

NOTES = REPOSITORY / "docs" / "design-notes.md"


def queries() -> Dict[str, str]:
    """By what they look for."""
    text = NOTES.read_text()
    part = text[text.index("## Consultas RAG Optimizadas") : text.index("### PostgreSQL Indexes")]
    goals, courses, code = re.findall(r"```sql\n(.*?)```", part, re.S)
    return {"goal": goals, "course": courses, "code_snapshot": code}


class Answers(NamedTuple):
    """The ids that each query finds, best first, and what vectors it compared."""

    goal: List[str]
    course: List[str]
    code_snapshot: List[str]
    dimensions: int
    similarities: List[float]


async def ask(server: HitoServer, learner: str, like: str) -> Answers:
    """Asks all three as a learner, with the vector that a goal of theirs has now."""
    session = await Session.open(server)
    found: Dict[str, List[str]] = {}
    try:
        # One transaction that sees one state of the tables: a switch may continue meanwhile.
        lines = await session.run(
            f"""
            \\set user_id '''{learner}'''
            \\set language '''python'''
            BEGIN ISOLATION LEVEL REPEATABLE READ;
            SELECT quote_literal(embedding::text) || '::vector' AS query_embedding,
              vector_dims(embedding) AS dimensions
            FROM embeddings WHERE entity_id = '{like}' \\gset
            \\echo :dimensions
            """
        )
        (dimensions,) = lines
        similarities = []
        for kind, query in queries().items():
            rows = await session.run(query)
            # Contents may have several lines; a row begins with an id and ends with a similarity.
            text = "\n".join(rows)
            found[kind] = re.findall(r"^([0-9a-f]{8}-[0-9a-f-]{27})\|", text, re.M)
            similarities += [float(n) for n in re.findall(r"\|(-?\d[\d.e-]*)$", text, re.M)]
        await session.run("COMMIT;")
    finally:
        await session.close()
    return Answers(
        found["goal"], found["course"], found["code_snapshot"], int(dimensions), similarities
    )
