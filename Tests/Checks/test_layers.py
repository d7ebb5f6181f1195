"""What .make/check_layers.py and .make/check_folders.py refuse."""

import check_folders
import check_layers
import pytest

PURE = "internal import Synchronization\n"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A package of files that a test writes; `house(files, targets)` is what the check finds."""
    monkeypatch.chdir(tmp_path)

    def findings(files, targets, drawing="2 HitoClient Transport\n1 Wire\n0 CPlain"):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs/architecture.md").write_text(
            f"{check_layers.MARKER}\n```text\n{drawing}\n```\n"
        )
        named = {name for name, _ in targets}
        package = {"targets": [
            {"name": name, "type": "regular", "dependencies": [
                {"byName": [one, None]} if one in named else {"product": [one, "swift-nio"]}
                for one in dependencies]}
            for name, dependencies in targets]}  # fmt: skip
        all_targets = check_layers.targets(package)
        swift = [target for target in all_targets.values() if target.is_swift]
        return [
            *(one for target in swift for one in check_layers.wrong_imports(all_targets, target)),
            *check_layers.wrong_arrows(all_targets, check_layers.layers()),
            *check_layers.wrong_places(all_targets),
        ]

    return findings


CLEAN = {
    "Sources/CPlain/plain.c": "",
    "Sources/Wire/Frame.swift": PURE,
    "Sources/Transport/Server.swift": "internal import CPlain\ninternal import NIOCore\nimport Wire",
    "Sources/HitoClient/Client.swift": "@_exported public import Wire\npublic struct Client {}",
}
TARGETS = [
    ("CPlain", []),
    ("Wire", []),
    ("Transport", ["CPlain", "NIOCore", "Wire"]),
    ("HitoClient", ["Wire"]),
]


def test_a_house_in_order_has_no_findings(house):
    assert house(CLEAN, TARGETS) == []


@pytest.mark.parametrize(
    "file, text, finding",
    [
        ("Sources/Wire/Frame.swift", "import Transport", "Wire may not import Transport"),
        ("Sources/Wire/Frame.swift", "import Foundation", "stands on no C and on no package"),
        ("Sources/Transport/Server.swift", "import Wire", "does not import its dependency NIOCore"),
        ("Sources/Transport/More.swift", "@_exported import Wire", "only HitoClient hands on"),
        ("Sources/Transport/More.swift", "public struct Server {}", "package"),
        ("Sources/Transport/More.swift", 'let sql = "DELETE FROM goals "', "SQL is PostgresStore's"),
    ],
)
def test_a_wrong_line_is_found(house, file, text, finding):
    assert any(finding in one for one in house({**CLEAN, file: text}, TARGETS))


def test_comments_import_nothing_and_hold_no_sql(house):
    comment = "// import Transport, and DELETE FROM goals \n/* public struct A {} */\n"
    assert house({**CLEAN, "Sources/Wire/More.swift": comment}, TARGETS) == []


def test_arrows_point_down(house):
    files = {**CLEAN, "Sources/HitoClient/Client.swift": "import Wire\nimport Transport"}
    targets = [*TARGETS[:-1], ("HitoClient", ["Wire", "Transport"])]
    (finding,) = house(files, targets)
    assert "HitoClient (layer 2) may not depend on Transport (layer 2)" in finding


def test_the_drawing_and_the_package_have_the_same_targets(house):
    findings = house(CLEAN, TARGETS, drawing="2 HitoClient Transport Ghost\n0 CPlain")
    assert any("no Wire" in one for one in findings)
    assert any("Ghost" in one for one in findings)


def test_a_c_module_has_one_importer_and_event_loops_one_home(house):
    files = {**CLEAN, "Sources/HitoClient/More.swift": "import CPlain\nimport NIOCore"}
    targets = [*TARGETS[:-1], ("HitoClient", ["Wire", "CPlain", "NIOCore"])]
    findings = house(files, targets)
    assert any("CPlain is C and has several importers" in one for one in findings)
    assert any("event loops are Transport's" in one for one in findings)


def cycles(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    graph = check_folders.needs(folder, check_folders.swift_sources(folder))
    return check_folders.cycles(graph)


def test_folders_that_need_each_other_are_found_through_others(tmp_path):
    files = {
        "A/One.swift": "struct One { let two: Two }",
        "B/Two.swift": "struct Two { func make() { three() } }",
        "C/Three.swift": "func three() -> One? { nil }",
        "D/Four.swift": "struct Four { let one: One }",
    }
    assert cycles(tmp_path, files) == [["A", "B", "C"]]


def test_comments_strings_and_members_need_nobody(tmp_path):
    files = {
        "A/One.swift": "struct One { let two: Two }",
        "B/Two.swift": '// One\nstruct Two { let text = "One"; let value = Other.One }',
    }
    assert cycles(tmp_path, files) == []
