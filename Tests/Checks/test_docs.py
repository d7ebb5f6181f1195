"""What .make/check_docs.py refuses."""

import check_docs
import pytest
from check_docs import Known

COMMANDS = check_docs.command_tree({
    "commandName": "hito",
    "subcommands": [
        {"commandName": "call", "arguments": [{"names": [{"kind": "long", "name": "timeout"}]}]},
        {"commandName": "token", "subcommands": [{"commandName": "create"}]},
    ],
})  # fmt: skip
KNOWN = Known({"build", "bench-rpc"}, {"CreateGoal"})


@pytest.fixture
def findings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Sources").mkdir()

    def read(text):
        path = tmp_path / "page.md"
        path.write_text(text)
        page = check_docs.read(path)
        return [
            *check_docs.missing_paths(page),
            *check_docs.missing_commands(page, COMMANDS, KNOWN),
        ]

    return read


@pytest.mark.parametrize(
    "text",
    [
        "`make build` and `make bench-rpc ARGS=\"--seconds 2\"`",
        "`hito call CreateGoal --timeout 3s`, `hito token create`, `Sources/`, `Sources/<Target>`",
        "[here](page.md), [there](https://example.org/x), [part](#part)",
        "```console\n$ export T=$(hito token create)\n$ hito call CreateGoal '{\n  \"a\": 1}'\nmake up\n```",
        "```swift\nmake nothing\n```",
    ],
)
def test_what_exists_is_no_finding(findings, text):
    assert findings(text) == []


@pytest.mark.parametrize(
    "text, finding",
    [
        ("`make tea`", "no `make tea`"),
        ("```sh\nmake tea # now\n```", "no `make tea`"),
        ("`hito brew`", "no `hito brew`"),
        ("`hito call CreateGoal --sugar`", "no --sugar"),
        ("```console\n$ hito call GoalService/DrinkTea '{}'\n```", "no method GoalService/DrinkTea"),
        ("```console\n$ export T=$(hito token brew --hot)\n```", "no --hot"),
        ("`Sources/Tea/Pot.swift`", "no Sources/Tea/Pot.swift"),
        ("[pot](tea.md)", "no tea.md"),
    ],
)
def test_what_does_not_exist_is_found(findings, text, finding):
    assert finding in "".join(findings(text))


def test_decisions_have_numbers_of_their_own(tmp_path):
    for name, title in (("0001-a", "0001"), ("0001-b", "0001"), ("0002-c", "0003")):
        (tmp_path / f"{name}.md").write_text(f"# {title}. Something\n")
    same, title = check_docs.wrong_decisions(tmp_path)
    assert "0001-b.md" in same and "same number" in same
    assert "0002-c.md" in title and "title" in title
