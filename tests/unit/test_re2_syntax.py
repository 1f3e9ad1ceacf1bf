r"""Our reading of RE2's expressions against RE2 itself. Google's binding is for tests only."""

import warnings

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from components.re2_classes import RefusedError
from components.re2_syntax import compiled, fits

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

TAKEN = [
    (".*", "any", "a\nb"),
    ("(?s).*", "a\nb", None),
    (UUID, "0b6ff3a8-6f6c-4f5e-9d3a-3f1d2c4b5a69", "0b6ff3a8"),
    (r"\d+", "12", "\u0663"),
    (r"\w", "a", "é"),
    (r"\W", "é", "a"),
    (r"\s", " ", "\v"),
    (r"[\W\d]", "1", "a"),
    (r"[^\W\d]", "a", "1"),
    ("a$", "a", "a\n"),
    (r"a\z", "a", "a\n"),
    (r"(?m)a$\nb", "a\nb", "a"),
    (r"\B", "", "a"),
    ("(?i)k", "\u212a", "i"),
    ("(?i)[^s]", "i", "\u017f"),
    (r"(?i)\w", "\u017f", "\u0130"),
    ("(?i)i", "I", "\u0130"),
    ("a(?i)b|c", "aB", "Ab"),
    ("(?:(?i)a)b", "Ab", "AB"),
    ("(?i:a(?-i)b)", "Ab", "AB"),
    ("(?P<name>a)b", "ab", None),
    ("[[:alpha:]_]", "_", "1"),
    ("[[:^digit:]]", "a", "1"),
    ("[]a]", "]", "b"),
    ("[^]a]", "b", "]"),
    ("[[a]", "[", "b"),
    ("[a||b&&+--]", "&", "d"),
    ("a{x}", "a{x}", "a"),
    (r"\x{1F600}\x41", "\U0001f600A", None),
    (r"\pL\p{Lu}\PN", "éÉa", "1Éa"),
    (r"[^\x00-\x{10FFFF}]*", "", "a"),
    ("a{0}b{2,}c??", "bb", "b"),
    ("(|a)+", "aa", "b"),
    (".{1000}", "é" * 1000, "é"),
]
REFUSED = [
    ("a\ud800", "no character"),
    *(
        (f"a({opening}b)", "no such group")
        for opening in ("?=", "?!", "?<=", "?<!", "?>", "?#", "?P=a", "?U")
    ),
    *(
        (text, "no such group")
        for text in ("(?)", "(?-)", "(?x)a", "(?<n>a)", "(a)?(?(1)b)", "(?P<1>a)", "(?P<é>a)")
    ),
    *(
        (f"(a){escape}", "no escape")
        for escape in (r"\1", r"\9", r"\0", r"\C", r"\Z", r"\Q", r"\h", r"\x{", r"\xg")
    ),
    *((f"[{escape}]", "no escape") for escape in (r"\A", r"\b", r"\B", r"\z", r"\1", r"a-\d")),
    *((f"a{twice}", "repetition is repeated") for twice in ("*+", "++", "?+", "{2}+", "**", "*?*", "{2}{3}")),
    *((text, "nothing to repeat") for text in ("*", "a|*", "(*)", "(?i)*", "{2}")),
    *((text, "assertion") for text in ("^*", "$+", r"\b?")),
    *((text, "counts") for text in ("a{1001}", "a{1,1001}", "a{2,1}", "a{99999999999}")),
    *((text, "within each other") for text in ("(a{100}){11}", "((a{10}){10}){11}", "(?:a{2,}){501}")),
    *((text, "no repetition") for text in ("a{,5}", "a{01}")),
    *(
        (text, "too large")
        for text in (r"\pL{1000}", "((.{10}){10}|" * 5 + ")" * 5 + "(.{9}x.{9}[^é]{9}){99}")
    ),
    *((text, "missing )") for text in ("(", "((a)")),
    *((text, "missing ]") for text in ("[", "[]", "[^]", "[a-")),
    *((text, "is not taken") for text in ("[[:foo:]]", r"\p{Greek}", r"\pC", r"\p{C}")),
    *((text, "no such set") for text in ("[[:alpha]", "[[:]")),
    *((text, "no character") for text in (r"\x{D800}", "\ud800", r"\x{110000}")),
    *((text, "ASCII") for text in ("(?i)é", "(?i)[a-é]", r"(?i)\pL")),
    ("a)", "unexpected )"),
    ("[b-a]", "backwards"),
    ("(?P<a>b)(?P<a>c)", "two groups"),
    ("(" * 101 + ")" * 101, "deep"),
    ("\\", "no escape"),
]

ATOMS = [
    *(
        "a",
        "b",
        "k",
        "S",
        "é",
        "1",
        "-",
        "_",
        " ",
        "\n",
        ".",
        "^",
        "$",
        "]",
        "}",
        "{",
        "{2}",
        "{,2}",
        "{1,}",
        "\\",
    ),
    *(rf"\{one}" for one in "AbBdDsSwWzafnrtvQEZC10.*[_-/"),
    *(
        r"\x41",
        r"\x{e9}",
        r"\pL",
        r"\PN",
        "(?i)",
        "(?s)",
        "(?m)",
        "(?-i)",
        "(?U)",
        "(?",
        "(",
        ")",
        "[",
        "|",
        "*",
        "+",
    ),
    *(
        "?",
        "(?:",
        "(?P<n>",
        "(?i:",
        "[^",
        "[:alpha:]",
        "[:^word:]",
        "[a-k]",
        r"[\W1-]",
        "[^S]",
        "[]a]",
        "&&",
        "--",
    ),
]
WILD = st.lists(st.sampled_from(ATOMS), max_size=9).map("".join)
TAME = st.recursive(
    st.sampled_from(
        ["a", "k", "S", "é", "1", ".", "^", "$", r"\b", r"\B", r"\w", r"\W", r"[^\Wa]", "(?i)", "(?m)", ""]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: f"({'|'.join(each)})"),
        st.tuples(st.sampled_from(["(?:", "(", "(?i:", "(?s-i:"]), inner).map(
            lambda pair: f"{pair[0]}{pair[1]})"
        ),
        st.tuples(inner, st.sampled_from(["*", "+?", "?", "{2}", "{0,2}", "{1,}", "{0}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)
TEXTS = st.lists(st.text(alphabet="aAkK\u212asS\u017f1é_ -\n[]{}\\", max_size=5), min_size=1, max_size=8)


def _theirs(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


@pytest.mark.parametrize(("pattern", "alike", "differs"), TAKEN)
def test_taken_and_meant_as_by_re2(pattern: str, alike: str, differs: str | None) -> None:
    """Both with RE2 and with ours."""
    for expression in (compiled(pattern), _theirs(pattern)):
        assert expression.fullmatch(alike)
        assert differs is None or not expression.fullmatch(differs)
    assert fits(pattern, alike)
    assert differs is None or not fits(pattern, differs)


@pytest.mark.parametrize(("pattern", "why"), REFUSED)
def test_refused_with_the_reason(pattern: str, why: str) -> None:
    """The reason says what to look for in the expression."""
    with pytest.raises(RefusedError) as refused:
        compiled(pattern)
    assert why in str(refused.value)


@settings(max_examples=300, deadline=None)
@given(st.one_of(WILD, TAME), TEXTS)
def test_what_is_taken_re2_takes_and_means(pattern: str, texts: list[str]) -> None:
    """Whatever is drawn: never more lenient, and never another meaning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            ours = compiled(pattern)
        except RefusedError:
            return
    theirs = _theirs(pattern)
    assert ours.groups == theirs.groups
    for text in texts:
        assert bool(ours.fullmatch(text)) == bool(theirs.fullmatch(text)), (pattern, text)
        assert fits(pattern, text) == bool(theirs.fullmatch(text)), (pattern, text)


@pytest.mark.parametrize(
    "pattern",
    ["(a|a)*b", "(a|aa)+b", "(?:a*)*?b", "(?:(?:a+)+)+b", "a?" * 300 + "a" * 300 + "b", ".*" * 400 + "b"],
)
def test_no_expression_takes_long_to_hold_against_a_text(pattern: str) -> None:
    """Python's own engine tries every way through it: these would take it longer than anybody lives."""
    assert not fits(pattern, "a" * 1000)
    assert fits("(?:" * 99 + "a*" + ")*" * 99, "a" * 1000), "groups as deep as they are taken"
