"""Validates a JSON Web Key Set. Pure.

A proxy that cannot parse a key set refuses every token and reports it only in its own log.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Final, NoReturn

LEAST_RSA_BYTES: Final = 256
"""2048 bits: https://www.rfc-editor.org/rfc/rfc7518#section-3.3"""

POINTS: Final = {
    ("EC", "P-256"): (32, "xy"),
    ("EC", "P-384"): (48, "xy"),
    ("EC", "P-521"): (66, "xy"),
    ("OKP", "Ed25519"): (32, "x"),
}
"""The curves that Envoy supports, with the size in bytes and the names of a point's coordinates."""

ALGORITHMS: Final = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA",),
}
TEXTS: Final = ("kty", "crv", "kid", "alg", "use", "x5u", "x5t", "x5t#S256")
LISTS: Final = ("x5c", "key_ops")
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

Key = Mapping[str, object]


def error_in(text: str) -> str | None:
    """Return why Istio or Envoy would refuse the text as a set of public keys; None if both accept it."""
    try:
        document = json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        return f"it is not JSON: {error}"
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not keys:
        return "it has no list `keys` with at least one key"
    found = ((nth, _key_error(key)) for nth, key in enumerate(keys))
    return next((f"keys[{nth}] {why}" for nth, why in found if why), None)


def has_private_part(text: str) -> bool:
    """Return whether the text contains a private key."""
    try:
        keys = json.loads(text)["keys"]
        return any(PRIVATE & set(key) for key in keys)
    except (ValueError, KeyError, TypeError):
        return False


def _key_error(key: object) -> str | None:
    if not isinstance(key, dict):
        return "is not a mapping"
    of_its_kind = _rsa_error if key.get("kty") == "RSA" else _point_error
    return _members_error(key) or of_its_kind(key)


def _members_error(key: Key) -> str | None:
    if wrong := [name for name in TEXTS if not isinstance(key.get(name, ""), str)]:
        return f"has a `{wrong[0]}` that is not text"
    wrong = [name for name in LISTS if not _is_list_of_texts(key.get(name, []))]
    return f"has a `{wrong[0]}` that is not a list of texts" if wrong else None


def _rsa_error(key: Key) -> str | None:
    if not _bytes(key, "e").strip(b"\0"):
        return "has no `e`"
    if len(_bytes(key, "n").lstrip(b"\0")) < LEAST_RSA_BYTES:
        return "has no `n` of 2048 bits"
    return _algorithm_error(key, "RSA")


def _point_error(key: Key) -> str | None:
    curve = str(key.get("crv"))
    size, coordinates = POINTS.get((str(key.get("kty")), curve), (0, ""))
    if not size:
        return "is neither RSA, nor EC on P-256, P-384 or P-521, nor OKP on Ed25519"
    missing = [name for name in coordinates if len(_bytes(key, name)) != size]
    return f"has no `{missing[0]}` of {curve}" if missing else _algorithm_error(key, curve)


def _algorithm_error(key: Key, family: str) -> str | None:
    known = ALGORITHMS[family]
    return None if key.get("alg", known[0]) in known else f"has an `alg` that is none of {', '.join(known)}"


def _bytes(key: Key, name: str) -> bytes:
    text = str(key.get(name, ""))
    try:
        # Python requires the padding that the standard omits, and ignores invalid characters.
        return urlsafe_b64decode(f"{text}==") if re.fullmatch("[A-Za-z0-9_-]+", text) else b""
    except ValueError:
        return b""


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)
