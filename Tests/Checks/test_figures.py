"""What .make/check_figures.py reads and refuses."""

import check_figures
import pytest
from check_figures import Marker
from swift_source import swift_sources


@pytest.mark.parametrize(
    "text, unit, value",
    [
        ("at most 20,000", None, 20000),
        ("at most 8 KiB", None, 8192),
        ("a credit above 2^31 - 1", None, 2147483647),
        ("from 50 ms", None, 0.05),
        ("| u32 | 10000", "ms", 10),
        ("at least four times", None, 4),
        ("weighs 0.1", None, 0.1),
        ("no number", None, None),
    ],
)
def test_the_number_before_a_marker_is_read_with_its_unit(text, unit, value):
    assert check_figures.stated(text, unit) == value


@pytest.mark.parametrize(
    "text, value",
    [
        ("256 << 10", 262144),
        ("1_000", 1000),
        ("Int(Int32.max)", 2147483647),
        ("Duration.seconds(30)", 30),
        (".milliseconds(50)", 0.05),
        (".seconds(24 * 3600)", 86400),
        ("makeDefault()", None),
    ],
)
def test_a_constant_is_evaluated(text, value):
    assert check_figures.evaluate(text) == value


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "WireLimit.swift").write_text(
        "enum WireLimit {\n  static let countMax = 100\n  static let timeout = Duration.seconds(2)\n}\n"
        "enum Other {\n  static let sizeMax = 5\n}\n"
        "extension Other {\n  // static let ghost = 1\n}\n"
    )
    return swift_sources(tmp_path)


def test_a_number_that_is_the_code_s_is_no_finding(sources):
    assert list(check_figures.wrong_numbers(sources, [Marker("page:1", "WireLimit", "countMax", 100)])) == []


@pytest.mark.parametrize(
    "marker, finding",
    [
        (Marker("page:1", "WireLimit", "countMax", 99), "is 100, the page says 99"),
        (Marker("page:1", "WireLimit", "countMax", None), "no number stands before"),
        (Marker("page:1", "WireLimit", "gone", 1), "is not one constant"),
        (Marker("page:1", "Other", "ghost", 1), "is not one constant"),
    ],
)
def test_a_number_that_is_not_the_code_s_is_found(sources, marker, finding):
    assert finding in "".join(check_figures.wrong_numbers(sources, [marker]))


def test_every_limit_of_the_wire_has_a_marker(sources):
    one = Marker(f"{check_figures.PROTOCOL}:1", "WireLimit", "countMax", 100)
    (finding,) = check_figures.missing_numbers(sources, [one])
    assert "WireLimit.timeout has no marker" in finding
