"""Settings → the rules of a RequestAuthentication. Pure: no Pulumi, no cluster."""

from typing import Final

from components.manifests.route_match import Spec
from components.model.security import Jwt

BEARER: Final[Spec] = {"name": "Authorization", "prefix": "Bearer "}
"""The header of a token. Envoy would also accept the query `access_token`, which access logs contain."""


def jwt_rule(jwt: Jwt) -> Spec:
    """Return the rule by which proxies validate the tokens of one issuer."""
    keys = {"jwksUri": jwt.jwks_uri} if jwt.jwks_uri else {"jwks": jwt.jwks}
    audiences = {"audiences": list(jwt.audiences)} if jwt.audiences else {}
    return {
        "issuer": jwt.issuer,
        **keys,
        **audiences,
        "fromHeaders": [BEARER],
        "forwardOriginalToken": jwt.forward,
    }
