"""What is found by its own text, whatever its Unicode form, its spelling or its case."""

from __future__ import annotations

import unicodedata

from hito import v1
from learning import Person, course

TEXT, HYBRID = v1.SearchMode.SEARCH_MODE_TEXT, v1.SearchMode.SEARCH_MODE_HYBRID

SECTIONS = {
    "Arranque": "Usa asyncio.run(main()) para arrancar el bucle.",
    "Ficheros": "Edita main.py y package.json.",
    "Rutas": "Llama a os.path.join con dos partes.",
    "Nombres": "La función getUserById y el módulo data_loader.",
}
QUESTIONS = {
    "asyncio.run": "Arranque", "main.py": "Ficheros", "package.json": "Ficheros",
    "os.path.join": "Rutas", "os.path": "Rutas", "getUserById": "Nombres",
    "user by id": "Nombres", "get_user_by_id": "Nombres", "data_loader": "Nombres",
    "loader": "Nombres",
}  # fmt: skip


def forms(text: str) -> set[str]:
    """Composed, decomposed, in capitals."""
    return {unicodedata.normalize(form, text) for form in ("NFC", "NFD")} | {text.upper()}


async def test_names_of_programs_are_found_by_their_own_text(server, ines, connect):
    teacher = Person(ines, await connect(server, ines))
    documents = [
        v1.CourseDocument(path=f"{title}.md", content=f"# {title}\n\n{text}\n".encode())
        for title, text in SECTIONS.items()
    ]
    course_id = await course(teacher, "Notas", *documents)
    for question, title in QUESTIONS.items():
        for mode in (TEXT, HYBRID):
            found = await teacher.client.retrieval.search(
                v1.SearchRequest(query=question, course_id=course_id, mode=mode)
            )
            assert found.hits and not found.abstained, question
            assert found.hits[0].citation.title == title, question


async def test_goals_are_found_in_every_form_of_unicode(server, ana, connect):
    client = await connect(server, ana)
    titles = [
        unicodedata.normalize("NFD", "Aprender programación en español"),
        "Aprender canción y pingüino",
    ]
    goals = []
    for title in titles:
        made = await client.goals.create_goal(v1.CreateGoalRequest(title=title))
        done = await client.goals.complete_goal(v1.CompleteGoalRequest(goal_id=made.goal.id))
        goals.append(made.goal.id)
    for word, goal in (("programación", 0), ("canción", 1), ("pingüino", 1)):
        plain = "".join(c for c in unicodedata.normalize("NFD", word) if c.isascii())
        for question in forms(word) | {plain}:
            for mode in (TEXT, HYBRID):
                found = await client.retrieval.search(
                    v1.SearchRequest(
                        query=question, entity_types=["goal"], mode=mode,
                        min_cursor=done.receipt.cursor,
                    )  # fmt: skip
                )
                assert [hit.citation.entity_id for hit in found.hits][:1] == [goals[goal]]
        for part in forms(word):
            listed = await client.goals.list_goals(v1.ListGoalsRequest(title_contains=part))
            assert [one.id for one in listed.goals] == [goals[goal]], part


async def test_the_same_code_is_one_result_with_a_count(mortal, mortal_ana, connect):
    # On a server of its own: what learners of other tests share would be found, too.
    client = await connect(mortal, mortal_ana)
    code = "def media(valores):\n    return sum(valores) / len(valores)\n"
    others = "def mediana(valores):\n    return sorted(valores)[len(valores) // 2]\n"
    for number, content in enumerate([code, code + "\n", others, code.replace("    ", "\t")]):
        made = await client.code_validation.create_snapshot(
            v1.CreateSnapshotRequest(file_path=f"a{number}.py", code_content=content)
        )
    found = await client.retrieval.search(
        v1.SearchRequest(
            query="media de una lista de valores", entity_types=["code_snapshot"],
            min_similarity=-1, min_cursor=made.receipt.cursor,
        )  # fmt: skip
    )
    counts = [hit.attributes.get("duplicates", "0") for hit in found.hits]
    assert sorted(counts) == ["0", "2"], found.hits
