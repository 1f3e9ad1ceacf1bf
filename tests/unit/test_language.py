"""Messages, help, docstrings and docs use the terms of the field instead of the words that they replaced."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
REPLACED = re.compile(
    r"\b(mend(?:s|ed|ing)?|told|tell(?:s|ing)?|said|says|whoever|nobody|somebody|anybody|anew|once more"
    r"|ways? back|(?:go|goes|going) back|(?:goes|went|going) on|faults?|breach(?:es)?|complain(?:s|ed|t|ts)?"
    r"|looks?(?! up)|looked|looking|stands?|stood|standing|kept|by hand|strangers?|wish(?:es)?|laws?"
    r"|figures?|scenes?|lets? go of|hears?|heard|ways? in(?:to)?)\b",
    re.IGNORECASE,
)
"""The left column of the glossary's table of replaced words, and their other forms."""
FAULT_INJECTION = re.compile(r"inject|\bfault\b[.`:\"]|[`\"]fault\b|fault[ -](?:delay|abort)", re.IGNORECASE)
"""Where `fault` is Istio's term."""
IDENTIFIER = re.compile(r"['\"][\w-]+['\"]")
"""A key or a name in data, which is no prose: journals on disk have the event `look`."""
CODE = ("components", "operations", "lab", "mesh-platform", "policy", "reference", "bench", "__main__.py")
DOCS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs")


def files(paths: tuple[str, ...], suffix: str) -> list[Path]:
    """The files of a kind at some paths of the repository."""
    found = [CHECKOUT / path for path in paths]
    return sorted(
        each
        for path in found
        for each in ([path] if path.is_file() else path.rglob(f"*{suffix}"))
        if each.suffix == suffix
    )


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """Lines of text with their numbers: strings and comments of a program, Markdown without its code."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in {tokenize.STRING, tokenize.COMMENT} and not IDENTIFIER.fullmatch(token.string):
                lines = token.string.split("\n")
                yield from enumerate(
                    (re.sub(r"\[['\"]\w+['\"]\]", "", line) for line in lines), token.start[0]
                )
        return
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        is_code ^= line.startswith("```")
        if not is_code:
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)


@pytest.mark.parametrize(
    "file",
    [*files(CODE, ".py"), *files(DOCS, ".md")],
    ids=lambda file: str(file.relative_to(CHECKOUT)),
)
def test_no_replaced_word(file: Path) -> None:
    """Each hit names the line and the word; docs/architecture.md has the terms."""
    hits = [
        f"{file.relative_to(CHECKOUT)}:{number}: {found[0]}: {line.strip()}"
        for number, line in prose(file)
        for found in REPLACED.finditer(line)
        if not (found[0].lower().startswith("fault") and FAULT_INJECTION.search(line))
    ]
    assert hits == []


def test_it_finds_them() -> None:
    """Each kind of text is read, and a term of Istio's is no hit."""
    assert REPLACED.search("a mistake is told")
    assert REPLACED.search("goes on without it")
    assert FAULT_INJECTION.search("abort: the fault that is injected")
    assert not REPLACED.search("looks up the drain time, handover, in the foreground")
