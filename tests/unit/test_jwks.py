"""Key sets as issuers publish them, and as they go wrong."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from components.model.security import KeySet
from components.schema import jwks
from components.schema.type_hints import example_of

EC: dict[str, Any] = json.loads(str(example_of(KeySet)))["keys"][0]


def number(content: bytes) -> str:
    """Write a number as the standard does, without padding."""
    return urlsafe_b64encode(content).decode().rstrip("=")


RSA = {"kty": "RSA", "n": number(b"\xbf" * 256), "e": "AQAB"}
ED = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def text(*keys: object) -> str:
    return json.dumps({"keys": keys})


@pytest.mark.parametrize(
    "key",
    [
        EC,
        ED,
        RSA,
        {**RSA, "n": number(b"\0" + b"\xbf" * 256)},
        {**RSA, "kid": "2026-11", "alg": "PS512", "use": "sig", "x5t": "abc", "x5c": ["MIIB"]},
        {**EC, "alg": "ES256"},
    ],
)
def test_keys_of_every_kind_that_proxies_read_are_taken(key: dict[str, Any]) -> None:
    """With and without what issuers like to add."""
    assert jwks.error_in(text(key)) is None
    assert jwks.error_in(text(RSA, key)) is None


@pytest.mark.parametrize(
    ("given", "description"),
    [
        ("{", "it is not JSON"),
        ('{"keys": [NaN]}', "it is not JSON"),
        ("[]", "`keys`"),
        ("{}", "`keys`"),
        ('{"keys": []}', "`keys`"),
        ('{"keys": {}}', "`keys`"),
        (text(RSA, "x"), "keys[1] is not a mapping"),
        (text({"kty": "RSA"}), "keys[0] has no `e`"),
        (text({**RSA, "e": "AA"}), "no `e`"),
        (text({**RSA, "n": "AQAB"}), "2048 bits"),
        (text({**RSA, "n": number(bytes(2) + b"\xbf" * 255)}), "2048 bits"),
        (text({**RSA, "n": "+" * 342}), "2048 bits"),
        (text({**RSA, "n": "AQABA"}), "2048 bits"),
        (text({**RSA, "alg": "HS256"}), "RS256"),
        (text({**RSA, "kid": 1}), "`kid`"),
        (text({**RSA, "x5c": "MIIB"}), "`x5c`"),
        (text({**RSA, "key_ops": [1]}), "`key_ops`"),
        (text({**EC, "x": "AQAB"}), "no `x` of P-256"),
        (text({**EC, "crv": "P-384"}), "no `x` of P-384"),
        (text({**EC, "crv": "secp256k1"}), "neither"),
        (text({**EC, "alg": "ES384"}), "none of ES256"),
        (text({**ED, "x": "AQAB"}), "no `x` of Ed25519"),
        (text({**ED, "crv": "X25519"}), "neither"),
        (text({"kty": "oct"}), "neither"),
    ],
)
def test_what_a_proxy_could_not_use_is_named(given: str, description: str) -> None:
    """By the place in the list, and by what is wrong there."""
    assert description in (jwks.error_in(given) or "")


@pytest.mark.parametrize("name", ["d", "k"])
def test_a_private_part_is_seen(name: str) -> None:
    """Of an asymmetric key, and of a shared secret, which is nothing but private."""
    assert jwks.has_private_part(text(RSA, {**EC, name: "AQAB"}))


@pytest.mark.parametrize("given", ["", "[]", "{}", '{"keys": 1}', '{"keys": [1]}', text(RSA, EC)])
def test_elsewhere_no_private_part_is_seen(given: str) -> None:
    """Whatever the text is."""
    assert not jwks.has_private_part(given)
