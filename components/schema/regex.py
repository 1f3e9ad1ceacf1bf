"""RE2 expressions, as Istio (in Go) validates them and Envoy compiles them. No I/O."""

import re
import shlex
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2

from components.schema.constraints import Constraint
from components.schema.issues import Issue, Path
from components.schema.messages import NOT_RE2

LONGEST_REGEX: Final = 1024
"""Istio's own limit, in bytes: pkg/config/validation, validateStringRegexp."""

_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_NAME: Final = re.compile(r"\(\?P?<([^>]*)>")
_COUNT: Final = re.compile(r"\{[0-9]*,?[0-9]{5}")

_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False


class InvalidRegexError(ValueError):
    """Go or RE2 refuses the expression, with the reason."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:  # noqa: ANN401 (re2 has no type of its own to name)
    r"""Compile an expression that both Go and RE2 accept.

    Only RE2 accepts `\C`, non-ASCII names of groups and counts that overflow; a test with 20,000 random
    expressions (Go 1.26, google-re2 1.1.20251105) found no other difference. Duplicate names of groups, which
    both accept, are refused as ambiguous.

    Raises:
        InvalidRegexError: one of them refuses it.
    """
    if any(escape[1] == "C" for escape in _ESCAPE.finditer(pattern)):
        raise InvalidRegexError(r"invalid escape sequence: \C")
    names = _NAME.findall(pattern)
    for name in names:
        if not name.isascii() or names.count(name) > 1:
            raise InvalidRegexError(f"invalid group name: {name}")
    if count := _COUNT.search(pattern):
        raise InvalidRegexError(f"invalid repetition count: {count[0]}")
    try:
        return re2.compile(pattern, _OPTIONS)
    except UnicodeEncodeError as error:
        raise InvalidRegexError("it contains half of a surrogate pair") from error
    except re2.error as error:
        raise InvalidRegexError(error.args[0].decode(errors="replace")) from error


def matches(pattern: str, text: str) -> bool:
    """Return whether an expression matches the whole text.

    Raises:
        InvalidRegexError: Go or RE2 refuses the expression.
    """
    return compiled(pattern).fullmatch(text) is not None


@dataclass(frozen=True)
class Regex(Constraint):
    """A regular expression that Envoy compiles. It must match the whole text."""

    example: str

    def issue(self, value: object, path: Path, example: object = None, /) -> Issue | None:
        """Report why the expression is invalid."""
        if (why := regex_error(str(value))) is None:
            return None
        return NOT_RE2.at(
            path, value, longest=LONGEST_REGEX, why=why, example=shlex.quote(str(example or self.example))
        )


def regex_error(pattern: str) -> str | None:
    """Return why Istio or Envoy would refuse the expression; None if both accept it."""
    if not pattern:
        return "it is empty"
    if (length := len(pattern.encode(errors="surrogatepass"))) > LONGEST_REGEX:
        return f"it has {length}"
    try:
        compiled(pattern)
    except InvalidRegexError as error:
        return str(error)
    return None
