"""An issuer of tokens, for tests: a key pair, its public part as a key set, and tokens signed with it."""

import json
import time
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

HOUR = 3600


class Issuer:
    """Signs what it is told to, with RS256."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def keys(self) -> str:
        """The key set that it publishes."""
        public = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "n": _number(public.n), "e": _number(public.e)}
        return json.dumps({"keys": [key]})

    def token(self, audience: str, lifetime: int = HOUR) -> str:
        """Make a token, without a subject: those of machines often have none."""
        claims = {"iss": self.name, "aud": audience, "exp": int(time.time()) + lifetime}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256"}, claims))
        return f"{signed}.{_encoded(self._key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _number(number: int) -> str:
    return _encoded(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
