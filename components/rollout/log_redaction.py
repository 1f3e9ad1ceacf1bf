"""Recognizes probable secrets, by name or by format, and hides them in texts. Pure."""

import re
from typing import Final

HIDDEN: Final = "(hidden)"
"""Replaces a hidden value."""

WORDS: Final = frozenset(
    [
        "AUTH",
        "AUTHORIZATION",
        "COOKIE",
        "CREDENTIAL",
        "CREDENTIALS",
        "CREDS",
        "DSN",
        "JWT",
        "KEY",
        "KEYS",
        "PASS",
        "PASSPHRASE",
        "PASSWD",
        "PASSWORD",
        "PASSWORDS",
        "PSWD",
        "PWD",
        "SALT",
        "SECRET",
        "SECRETS",
        "TOKEN",
        "TOKENS",
        "WEBHOOK",
    ]
)
"""Words in the name of a secret, at any position: `AWS_SECRET_ACCESS_KEY_ID`, `dbPassword`."""

ENDS: Final = ("CREDENTIALS", "KEY", "PASS", "PASSPHRASE", "PASSWD", "PASSWORD", "PWD", "SECRET", "TOKEN")
"""Endings of names whose words are not separated: `PGPASSWORD`, `ACCESSTOKEN`."""

CONNECTION: Final = re.compile(r"CONN(ECTION)?STR(ING)?S?")
"""Matches a name without separators: `CONNECTION_STRING`, `ConnectionStrings__Default`, `CONN_STR`."""

OF_A_FILE: Final = ("FILE", "PATH", "DIR", "STORE")
"""Last words of the name of a secret's location, if the value is an absolute path."""

HARMLESS: Final = re.compile(r"|true|false|yes|no|on|off|none|null", re.IGNORECASE)
"""Values that are never secret: switches and empty ones."""

SHELLS_OWN: Final = ("PWD", "OLDPWD")
"""Variables with the working directory."""

URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#@:]*:[^\s/?#@]+@")
"""A URL with a password: `postgres://user:password@host/`."""

BY_ITSELF: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|[A-Za-z0-9+/=\s]*)"
    r"|\bBearer\s+[A-Za-z0-9._~+/=-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"  # a JSON Web Token
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # an access key of AWS
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_)[A-Za-z0-9_-]{10,}"
)
"""Formats that only secrets have."""

ASSIGNMENT: Final = re.compile(
    r"""(?P<name>[A-Za-z_][\w.-]*)\\?["']?[ \t]*[=:][ \t]*"""
    r"""(?P<value>\\?"[^"\n]*"|'[^'\n]*'|(?:(?:Bearer|Basic)[ \t]+)?[^\s"',;&]+)"""
)
"""A name with a value in a text: `Server=db;Password=x`, `--token=x`, `"apiKey": "x"`."""

_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR: Final = re.compile(r"[^A-Za-z0-9]+")


def resembles_secret(name: str, value: str) -> bool:
    """Return whether a value must not be printed or stored, by its name or its format.

    Args:
        name: the name of an environment variable, a header or an annotation; may be empty.
        value: its value.
    """
    return (_is_secrets_name(name) and not _is_harmless(name, value)) or without_secrets(value) != value


def without_secrets(text: str) -> str:
    """Replace probable secrets in a text."""
    at = 0
    while found := ASSIGNMENT.search(text, at):
        at = found.start("value")
        if _assigns_secret(found["name"], found["value"].strip("\\\"'")):
            text = f"{text[:at]}{HIDDEN}{text[found.end('value') :]}"
            at += len(HIDDEN)
    return BY_ITSELF.sub(HIDDEN, URL.sub(rf"\g<scheme>{HIDDEN}@", text))


def _assigns_secret(name: str, value: str) -> bool:
    # "missing key: shop" is not a secret.
    is_secrets = _is_secrets_name(name) and name.upper() not in ("KEY", "KEYS")
    return is_secrets and not _is_harmless(name, value)


def _is_secrets_name(name: str) -> bool:
    words = _words(name)
    return name not in SHELLS_OWN and (
        not WORDS.isdisjoint(words)
        or any(word.endswith(ENDS) for word in words)
        or CONNECTION.search("".join(words)) is not None
    )


def _is_harmless(name: str, value: str) -> bool:
    names_a_place = any(word in OF_A_FILE for word in _words(name)[-1:])
    return HARMLESS.fullmatch(value) is not None or (names_a_place and value.startswith("/"))


def _words(name: str) -> list[str]:
    return [word.upper() for word in _SEPARATOR.split(_CAPITAL.sub("_", name)) if word]
