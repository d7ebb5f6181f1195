"""The pages docs/adding-*.md, followed for toy examples, and what they promise held for what is there."""

from __future__ import annotations

import os
import py_compile
import re
import shutil
import subprocess
from pathlib import Path
from typing import List

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
GENERATOR = os.environ.get("HITO_GENERATOR") or str(REPOSITORY / ".build/debug/protoc-gen-hito")


def blocks(page: str, language: str) -> List[str]:
    text = (REPOSITORY / "docs" / page).read_text()
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)


def hand_written(folder: str) -> List[Path]:
    paths = (REPOSITORY / folder).rglob("*.swift")
    return [path for path in paths if "Generated" not in path.parts]


@pytest.fixture
def protos(tmp_path):
    """A copy of the contract with the method of the page."""
    copy = tmp_path / "Protos"
    shutil.copytree(REPOSITORY / "Protos", copy)
    method, messages = blocks("adding-an-rpc.md", "proto")
    goals = copy / "hito/v1/goals.proto"
    head, service, rest = goals.read_text().partition("service GoalService {\n")
    goals.write_text(head + service + method + rest + "\n" + messages)
    return copy


def generate(protos: Path, option: str) -> Path:
    out = protos.parent / option.split(",")[0]
    out.mkdir()
    # What options are made of is for the generator itself.
    own = sorted(path.relative_to(protos) for path in protos.glob("hito/v1/*.proto"))
    subprocess.run(
        ["protoc", "-I", ".", f"--plugin=protoc-gen-hito={GENERATOR}", f"--hito_opt={option}",
         f"--hito_out={out}", *(str(path) for path in own if path.name != "options.proto")],
        cwd=protos, check=True, timeout=60,
    )  # fmt: skip
    return out


def test_a_method_of_the_contract_is_demanded_of_the_service(protos):
    services = (generate(protos, "mode=swift") / "goals.services.swift").read_text()
    assert "func countOpenGoals(" in services
    assert "GoalService/CountOpenGoals" in services


def test_a_method_of_the_contract_is_in_the_clients(protos):
    stubs = generate(protos, "mode=python") / "hito/v1/goals_client.py"
    py_compile.compile(str(stubs), doraise=True)
    assert "async def count_open_goals(" in stubs.read_text()


def test_a_new_method_breaks_no_client_that_is_in_use(protos):
    baseline = REPOSITORY / "Protos/compat/v1.binpb"
    generate(protos, f"mode=compat,baseline={baseline}")


def test_a_method_that_is_taken_away_again_breaks_those_who_call_it(protos):
    goals = protos / "hito/v1/goals.proto"
    goals.write_text(re.sub(r"  rpc GetGoal\(.*?\n  }\n", "", goals.read_text(), flags=re.DOTALL))
    with pytest.raises(subprocess.CalledProcessError):
        generate(protos, f"mode=compat,baseline={REPOSITORY / 'Protos/compat/v1.binpb'}")


def test_a_read_method_names_at_most_four_files():
    page = (REPOSITORY / "docs/adding-an-rpc.md").read_text().partition("## Tests")[0]
    named = set(re.findall(r"`((?:Protos|Sources)/[\w/+.-]+\.(?:proto|swift))`", page))
    assert 3 <= len(named) <= 4, named


EVENT_TYPES = re.findall(
    r'case (\w+) = "(\w+\.\w+)"',
    (REPOSITORY / "Sources/Domain/Events/StoredEvent.swift").read_text(),
)


def test_the_page_s_event_looks_like_those_that_are_there():
    (example,) = blocks("adding-an-event.md", "swift")
    case, name = re.fullmatch(r'\s*case (\w+) = "(\w+\.\w+)"\s*', example).groups()
    kind, verb = name.split(".")
    assert case == kind + verb.title()
    assert kind in {name.split(".")[0] for _, name in EVENT_TYPES}


def test_three_source_files_are_enough_for_most_types_of_event():
    """Its name, what of it is personal, and what decides it."""
    texts = [path.read_text() for path in hand_written("Sources")]
    files = {
        name: sum(bool(re.search(rf"\.{case}\b|case {case} =", text)) for text in texts)
        for case, name in EVENT_TYPES
        # Stands for the types of other systems, which are made where their batches are read.
        if name != "external.received"
    }
    assert min(files.values()) >= 3, "a type that nothing records"
    enough = [name for name, count in files.items() if count == 3]
    assert len(enough) > len(files) / 2, files


def test_every_type_of_event_is_in_the_documentation():
    page = (REPOSITORY / "docs/domain.md").read_text()
    assert [name for _, name in EVENT_TYPES if f"`{name}`" not in page] == []


# What has no generated code is made of another client.
LANGUAGES = sorted(path.parent.name for path in (REPOSITORY / "clients").glob("*/generate.sh"))
SCRIPTS = ("generate.sh", "setup.sh", "build.sh", "conformance.sh", "test.sh")


def test_the_swift_client_generates_nothing_of_its_own():
    folder = REPOSITORY / "clients/swift"
    assert (folder / "README.md").exists()
    assert not (folder / "generate.sh").exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_language_is_an_emitter_a_folder_and_a_line(language):
    emitter = f"{language.title()}ClientEmitter"
    emitters = REPOSITORY / "Sources/CodeGen/Emit"
    assert (emitters / f"{emitter}.swift").exists()
    assert f'"{language}": {emitter}()' in (emitters / "ClientLanguages.swift").read_text()
    for name in (*SCRIPTS, "README.md"):
        assert (REPOSITORY / "clients" / language / name).exists()
    # Nothing else knows the language by name.
    others = [path.name for path in hand_written("Sources") if emitter in path.read_text()]
    assert set(others) == {"ClientLanguages.swift", f"{emitter}.swift"}
