"""What .make/check_benchmarks.py refuses."""

import check_benchmarks
import pytest

BENCHMARK = """import BenchmarkSupport
let name = "store.create_goal"
let figures = [
  Figure("rpc.echo_w1", 1, unit: "us"), Figure("\\(name).cpu_\\(level)", 2, unit: "us"),
]
for event in log where event.type == "goal.created" {}
"""
ROWS = ["rpc.echo_w1", "store.create_goal.cpu_1", "store.create_goal.cpu_64"]


@pytest.fixture
def findings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def check(rows, benchmark=BENCHMARK):
        table = "".join(f"| `{row}` | 1 |\n" for row in rows)
        for name, text in {
            "Tests/Benchmarks/Bench/Bench.swift": benchmark,
            "Sources/Domain/Events/StoredEvent.swift": 'case goalCreated = "goal.created"',
            "docs/benchmarks.md": f"| figure | ours |\n|---|---|\n{table}",
            "docs/building.md": "",
        }.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_benchmarks.findings()

    return check


def test_tables_that_hold_what_is_printed_are_no_finding(findings):
    assert findings(ROWS) == []


def test_a_row_that_no_benchmark_prints_is_found(findings):
    (finding,) = findings([*ROWS, "rpc.echo_w9"])
    assert "no benchmark prints rpc.echo_w9" in finding


def test_a_figure_without_a_row_is_found(findings):
    (finding,) = findings(ROWS[1:])
    assert "echo_w1 has no row" in finding
