"""Durations and expressions: what Istio takes, and what it would refuse."""

from fractions import Fraction

import pytest

from components.schema.durations import Duration, seconds
from components.schema.issues import Path
from components.schema.regex import regex_error


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2s", 2),
        ("1h30m", 5400),
        ("1.5s", Fraction(3, 2)),
        (".5s", Fraction(1, 2)),
        ("1m1ms", Fraction(60001, 1000)),
        ("250us", Fraction(1, 4000)),
        ("0s", 0),
        ("", None),
        ("2", None),
        ("s", None),
        ("2 s", None),
        ("-2s", None),
        ("2d", None),
        ("1h 30m", None),
    ],
)
def test_durations_are_read_as_go_reads_them(text: str, length: Fraction | None) -> None:
    """Units can be put together; a number without one says nothing."""
    assert seconds(text) == length


@pytest.mark.parametrize(
    ("duration", "taken"),
    [
        ("1ms", True),
        ("24h", True),
        ("0s", False),
        ("999us", False),
        ("1.0005s", False),
        ("24h1ms", False),
    ],
)
def test_istio_takes_durations_to_the_millisecond(duration: str, *, taken: bool) -> None:
    """Less than one, or part of one, is refused by its webhook."""
    assert (Duration().issue(duration, Path()) is None) == taken


@pytest.mark.parametrize("expression", [".*", "(?i)a|b", r"\w+\.example\.com", r"\pL+", r"\\C", "é"])
def test_expressions_of_re2_are_taken(expression: str) -> None:
    """As Go, in which Istio checks them, and Envoy compile them."""
    assert regex_error(expression) is None


@pytest.mark.parametrize(
    "expression", ["", "*", "a(?=b)", r"(a)\1", "a{1001}", "(", r"\C", r"a\C", "x" * 1025]
)
def test_what_one_of_the_two_refuses_is_refused(expression: str) -> None:
    """Before a route table is lost over it."""
    assert regex_error(expression)
