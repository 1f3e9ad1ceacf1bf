r"""Expressions are accepted where both Go and RE2 accept them, and mean what they mean to RE2."""

import pytest

from components.schema.regex import InvalidRegexError, compiled, matches

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

ACCEPTED = [
    (".*", "any", "a\nb"),
    ("(?s).*", "a\nb", None),
    (UUID, "0b6ff3a8-6f6c-4f5e-9d3a-3f1d2c4b5a69", "0b6ff3a8"),
    (r"\d+", "12", "\u0663"),
    ("a$", "a", "a\n"),
    (r"\B", "", "a"),
    ("(?i)k", "\u212a", "i"),
    ("(?i)é", "É", "e"),
    ("(?P<name>a)b", "ab", None),
    ("(?<name>a)b", "ab", None),
    ("[[:alpha:]_]", "_", "1"),
    ("[]a]", "]", "b"),
    ("a{x}", "a{x}", "a"),
    ("a{,5}", "a{,5}", "a"),
    (r"\x{1F600}\x41", "\U0001f600A", None),
    (r"\pL\p{Greek}", "éΩ", "1Ω"),
    (r"\\C", r"\C", "C"),
    ("^*a", "a", "b"),
    (".{1000}", "é" * 1000, "é"),
]
REFUSED = [
    ("a\ud800", "half of a surrogate pair"),
    *(
        (f"a({opening}b)", "invalid perl operator")
        for opening in ("?=", "?!", "?<=", "?<!", "?>", "?#", "?P=a")
    ),
    *((f"(a){escape}", "invalid escape") for escape in (r"\1", r"\9", r"\C", r"\Z", r"\h", r"\xg")),
    ("a*+", "repetition"),
    ("{2}", "repetition"),
    ("a|*", "repetition"),
    ("a{1001}", "repetition"),
    ("a{99999999999}", "repetition count"),
    ("a{2,99999999999}", "repetition count"),
    ("(a{100}){11}", "repetition"),
    (r"\pL{1000}", "too large"),
    ("((a)", "missing )"),
    ("a)", "unexpected )"),
    ("[a-", "missing ]"),
    ("[b-a]", "range"),
    (r"\p{Klingon}", "range"),
    ("(?P<a>b)(?P<a>c)", "group name"),
    ("(?P<é>a)", "group name"),
    ("(?<é>a)", "group name"),
    ("\\", r"trailing \\"),
]


@pytest.mark.parametrize(("pattern", "alike", "differs"), ACCEPTED)
def test_accepted_and_meant_as_by_re2(pattern: str, alike: str, differs: str | None) -> None:
    """The whole text counts."""
    assert matches(pattern, alike)
    assert differs is None or not matches(pattern, differs)


@pytest.mark.parametrize(("pattern", "why"), REFUSED)
def test_refused_with_the_reason(pattern: str, why: str) -> None:
    """What Go refuses and RE2 accepts is among them: istiod would refuse the VirtualService."""
    with pytest.raises(
        InvalidRegexError, match=why.replace("(", r"\(").replace(")", r"\)").replace("[", r"\[")
    ):
        compiled(pattern)


def test_groups_are_counted() -> None:
    """A rewrite may name no other."""
    assert compiled("(a)(?:b)(?P<c>d)").groups == 2


@pytest.mark.parametrize("pattern", ["(a|a)*b", "(a|aa)+b", "(?:(?:a+)+)+b", ".*" * 400 + "b"])
def test_no_expression_takes_long(pattern: str) -> None:
    """Python's own engine tries every way through these, which would take longer than anybody waits."""
    assert not matches(pattern, "a" * 1000)
