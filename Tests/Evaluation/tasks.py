"""What is asked, of whom, and what the right answer is."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Awaitable, Callable, Dict, List, NamedTuple, Sequence, Tuple

import corpus as corpora
from corpus import Corpus
from encoders import Encoders, embedded
from metrics import DEPTH, place_of
from population import Passage, Population, key_of
from rankers import BM25, Key, Text

import hito
from hito import v1

MODES = {
    "hybrid": v1.SearchMode.SEARCH_MODE_HYBRID,
    "vector": v1.SearchMode.SEARCH_MODE_VECTOR,
    "text": v1.SearchMode.SEARCH_MODE_TEXT,
}
QUERY_LENGTH_MAX = 4000
IN_FLIGHT = 4
"""Calls at a time: two cores have nothing to gain from more."""


class Query(NamedTuple):
    """A question with its one right answer."""

    text: str
    right: Key


class Task(NamedTuple):
    """Queries of one kind, and where they are answered from."""

    name: str
    title: str
    group: str
    """Whose part of the baseline: the documentation's name, or `pairs`."""
    queries: List[Query]
    texts: List[Text]
    client: hito.Client
    entity_type: str
    course_id: str = ""


class Rounding(NamedTuple):
    """What the weights of 8 bits cost, in Python alone: by meaning, without a threshold."""

    cosines: Dict[str, float]
    """Of each text and query: how near its two vectors are."""
    changed_first: List[str]
    """Queries whose first result is another one."""
    changed_places: int
    """Queries whose answer has another place."""


class Outcome(NamedTuple):
    """The place of the right answer of each query, by system; 0 where it was not found."""

    places: Dict[str, List[int]]
    abstained: Dict[str, int]
    """Queries that a mode answered with nothing."""
    silent: List[bool]
    """Which queries the hybrid search answered with nothing."""
    disagreements: List[str]
    """Queries whose order by meaning is not that of the model in Python."""
    rounding: Rounding
    differing_calls: int
    """Queries that the kind's own call answers otherwise than `Search`."""


def all_tasks(corpus: Corpus, people: Population) -> List[Task]:
    return document_tasks(corpus, people) + pair_tasks(people) + [identifier_task(people)]


def identifier_task(people: Population) -> Task:
    """Names as they are written in programs, and in other ways: no words of a sentence."""
    sections = people.sections("identifiers")
    anchors = {passage.title: key for key, passage in sections.items()}
    _, questions = corpora.identifiers()
    return Task(
        "identifiers", "File, function, version, host → its section", "pairs",
        [Query(text, anchors[title]) for text, title in questions],
        people.course_texts("identifiers"), people.teacher, "course",
        people.courses["identifiers"],
    )  # fmt: skip


def document_tasks(corpus: Corpus, people: Population) -> List[Task]:
    spanish, english = people.sections("es"), people.sections("en")
    # The same place in both lists is the same document, whatever its name.
    names = dict(zip(*([p.as_posix() for p in corpus.documents[x]] for x in ("es", "en"))))
    pairs: Dict[Key, Key] = {
        (path, anchor): (names[path], anchor)
        for path, anchor in spanish
        if (names[path], anchor) in english
    }
    own = {key: key for key in pairs}

    def queries(texts: Dict[Key, str], to: Dict[Key, Key]) -> List[Query]:
        known = [(text, to[key]) for key, text in texts.items() if key in to]
        return [Query(text[:QUERY_LENGTH_MAX], right) for text, right in known]

    whole = {key: passage.content for key, passage in spanish.items()}
    headings = unique_headings(spanish)
    asked = {find_section(q, spanish): q.text for q in corpora.questions(corpus)}
    made = [
        ("docs_es_en", "Spanish section → its English section", "en", queries(whole, pairs)),
        ("docs_heading", "Spanish heading → its section", "es", queries(headings, own)),
        ("docs_heading_es_en", "Spanish heading → English section", "en", queries(headings, pairs)),
        ("docs_question", "Spanish question → Spanish section", "es", queries(asked, own)),
        ("docs_question_es_en", "Spanish question → English section", "en", queries(asked, pairs)),
    ]  # fmt: skip
    return [
        Task(
            name, title, corpus.name, found, people.course_texts(language), people.teacher,
            "course", people.courses[language],
        )  # fmt: skip
        for name, title, language, found in made
        if found
    ]


def unique_headings(sections: Dict[Key, Passage]) -> Dict[Key, str]:
    """The headings that only one section has: nobody can tell which "Resumen" is meant."""
    counts = Counter(passage.title.lower() for passage in sections.values())
    return {
        key: passage.title
        for key, passage in sections.items()
        if passage.title and counts[passage.title.lower()] == 1
    }


def find_section(question: corpora.Question, sections: Dict[Key, Passage]) -> Key:
    found = [
        key for key in sections
        if key[1] == question.anchor and question.path in ("", key[0])
    ]  # fmt: skip
    # Data that does not fit its corpus must not quietly make the task smaller.
    assert len(found) == 1, f"{question}: {len(found)} sections have this anchor"
    return found[0]


def goal_tasks(people: Population) -> List[Task]:
    made = []
    for name, title, goals, field in (
        ("goals_es", "Spanish paraphrase → Spanish goal", "es", "paraphrase"),
        ("goals_en", "English paraphrase → English goal", "en", "paraphrase"),
        ("goals_en_es", "English paraphrase → Spanish goal", "es", "english"),
        ("goals_heldout_es", "Spanish paraphrase → Spanish goal", "heldout_es", "paraphrase"),
        ("goals_heldout_en", "English paraphrase → English goal", "heldout_en", "paraphrase"),
        ("goals_heldout_en_es", "English paraphrase → Spanish goal", "heldout_es", "english"),
        ("goals_heldout_es_en", "Spanish paraphrase → English goal", "heldout_en", "english"),
    ):
        ids = people.goals[goals]
        language = goals[-2:]
        known = corpora.held_out_goals(language) if goals != language else corpora.goals(language)
        queries = [
            Query(getattr(goal, field), (entity_id,)) for goal, entity_id in zip(known, ids)
        ]
        made.append(
            Task(name, title, "pairs", queries, people.goal_texts(ids), people.learner(goals), "goal")
        )
    return made


def pair_tasks(people: Population) -> List[Task]:
    made = goal_tasks(people)
    for name, title, field in (
        ("code", "Spanish description → code", "es"),
        ("code_en", "English description → code", "en"),
    ):
        queries = [
            Query(getattr(function, field), (entity_id,))
            for function, entity_id in zip(corpora.functions(), people.snapshots)
        ]
        texts = people.texts(people.snapshots)
        made.append(
            Task(name, title, "pairs", queries, texts, people.learner("es"), "code_snapshot")
        )
    return made


async def measure(task: Task, encoders: Encoders) -> Outcome:
    """Asks everything of everybody."""
    places: Dict[str, List[int]] = {}
    abstained: Dict[str, int] = {}
    silent: List[bool] = []
    for mode in MODES:
        answers = await ask_all(task, lambda query, mode=mode: search(task, query, mode))
        places[mode] = placed(task.queries, [[key_of(h) for h in a.hits] for a in answers])
        abstained[mode] = sum(1 for answer in answers if not answer.hits)
        if mode == "hybrid":
            silent = [not answer.hits for answer in answers]
    lexical = BM25(task.texts)
    places["bm25"] = placed(task.queries, [lexical.rank(query.text) for query in task.queries])
    asked = [query.text for query in task.queries]
    ranks = await asyncio.to_thread(encoders.installed.ranks, asked, task.texts)
    places["python"] = placed(task.queries, ranks)
    return Outcome(
        places, abstained, silent, await disagreements(task, places["python"]),
        await asyncio.to_thread(rounding, task, encoders, ranks), await differing_calls(task),
    )  # fmt: skip


def rounding(task: Task, encoders: Encoders, ranks: List[List[Key]]) -> Rounding:
    asked = [query.text for query in task.queries]
    exact = encoders.exact.ranks(asked, task.texts)
    texts = sorted({*asked, *embedded(task.texts)})
    cosines = encoders.installed.cosines(encoders.exact, texts)
    ours, theirs = placed(task.queries, ranks), placed(task.queries, exact)
    return Rounding(
        dict(zip(texts, cosines)),
        [text for text, a, b in zip(asked, ranks, exact) if a[:1] != b[:1]],
        sum(a != b for a, b in zip(ours, theirs)),
    )


def placed(queries: Sequence[Query], ranks: Sequence[List[Key]]) -> List[int]:
    return [place_of(query.right, ranked) for query, ranked in zip(queries, ranks)]


async def disagreements(task: Task, python: List[int]) -> List[str]:
    """Where the server's order by meaning, without its threshold, is not that of Python."""
    answers = await ask_all(task, lambda query: search(task, query, "vector", -1))
    ours = placed(task.queries, [[key_of(hit) for hit in answer.hits] for answer in answers])
    return [q.text[:60] for q, a, b in zip(task.queries, ours, python) if a != b]


async def search(
    task: Task, query: Query, mode: str, min_similarity: float = 0, limit: int = DEPTH
) -> v1.SearchResponse:
    return await task.client.retrieval.search(
        v1.SearchRequest(
            query=query.text, entity_types=[task.entity_type], course_id=task.course_id,
            limit=limit, mode=MODES[mode], min_similarity=min_similarity,
        )
    )  # fmt: skip


async def search_of_its_own(task: Task, query: Query) -> v1.SearchResponse:
    """The call that learners' programs make for this kind; always hybrid."""
    retrieval = task.client.retrieval
    if task.entity_type == "goal":
        return await retrieval.search_similar_goals(
            v1.SearchSimilarGoalsRequest(query=query.text, limit=DEPTH)
        )
    if task.entity_type == "course":
        return await retrieval.search_course_documents(
            v1.SearchCourseDocumentsRequest(
                query=query.text, course_id=task.course_id, limit=DEPTH
            )
        )
    return await retrieval.search_validated_code(
        v1.SearchValidatedCodeRequest(query=query.text, limit=DEPTH)
    )


def off_topic_tasks(tasks: Sequence[Task]) -> List[Task]:
    """Questions without an answer, asked of the documentation, the goals and the code. Those of the
    calibration set are asked apart."""
    names = {
        "docs_heading": "docs", "docs_heading_es_en": "docs_en", "goals_es": "goals",
        "goals_en": "goals_en", "code": "code",
    }  # fmt: skip
    return [
        task._replace(
            name=f"{prefix}_{names[task.name]}",
            queries=[Query(text, ()) for text in corpora.off_topic(part)],
        )
        for prefix, part in (("off_topic", ""), ("calibration", "calibration"))
        for task in tasks
        if task.name in names
    ]


async def silences(task: Task) -> List[bool]:
    """Which queries the hybrid search answers with nothing."""
    answers = await ask_all(task, lambda query: search(task, query, "hybrid"))
    return [not answer.hits for answer in answers]


async def differing_calls(task: Task, query_count: int = 10) -> int:
    first = task._replace(queries=task.queries[:query_count])
    ours = await ask_all(first, lambda query: search(first, query, "hybrid"))
    others = await ask_all(first, lambda query: search_of_its_own(first, query))
    return sum(
        [key_of(h) for h in a.hits] != [key_of(h) for h in b.hits] for a, b in zip(ours, others)
    )


async def ask_all(
    task: Task, ask: Callable[[Query], Awaitable[v1.SearchResponse]]
) -> List[v1.SearchResponse]:
    """The answers in the order of the queries."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(query: Query) -> v1.SearchResponse:
        async with gate:
            return await ask(query)

    return list(await asyncio.gather(*(one(query) for query in task.queries)))


def cut(tasks: List[Task], only: Tuple[str, ...], query_count: int) -> List[Task]:
    """A part of everything, for work on the evaluation itself."""
    chosen = [t for t in tasks if not only or any(t.name.startswith(name) for name in only)]
    if query_count:
        chosen = [task._replace(queries=task.queries[:query_count]) for task in chosen]
    return chosen
