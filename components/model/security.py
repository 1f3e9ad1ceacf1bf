"""Authentication and authorization of callers, enforced by the proxy of each pod."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from components.model.http_types import Method
from components.model.types import Label
from components.schema.constraints import Always, Distinct, NotEmpty, Pattern
from components.schema.key_groups import at_least_one, exactly_one

Account = Annotated[
    str,
    Pattern(
        pattern=r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?",
        description="the namespace and the name of a service account, with '/' between them",
        example="shop/orders",
    ),
]

CalledPath = Annotated[
    str,
    Pattern(
        pattern=r"/[A-Za-z0-9._~!$&'()+,;=:@%/-]*\*?",
        description="the path of a URL, with '*' only at its end, for any rest",
        example="/api/*",
        longest=1024,
    ),
]

Claim = Annotated[
    str,
    Pattern(
        pattern=r"[^\s*\x00-\x1f\x7f]+",
        description="the exact text of a token's claim, without spaces and '*'",
        example="https://issuer.example.com",
        longest=1024,
    ),
]

KeysUri = Annotated[
    str,
    Pattern(
        pattern=r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[1-9][0-9]{0,4})?"
        r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?",
        description="an https URL: over http, an attacker could replace the keys",
        example="https://issuer.example.com/.well-known/jwks.json",
        longest=1024,
    ),
]

KeySet = Annotated[
    str,
    Pattern(
        pattern=r"\s*\{[\s\S]*\}\s*",
        description="the JSON text of a set of public keys, with the list `keys`",
        example='{"keys": [{"kty": "EC", "crv": "P-256", '
        '"x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", '
        '"y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}',
        longest=65536,
    ),
]
"""https://www.rfc-editor.org/rfc/rfc7517; the example is its own."""


EVERY_PATH: Final = "/*"


@at_least_one("namespaces", "serviceAccounts", "gateway", "methods", "paths")
@dataclass(frozen=True, kw_only=True)
class Admission:
    """Allowed calls: by any of the callers, with any of the methods, to any of the paths.

    Without callers, all clients are allowed; without methods or paths, all methods or paths. With `jwt` the
    calls need a token, unless `token` is set; paths without callers are public by default.
    """

    namespaces: Annotated[tuple[Label, ...], NotEmpty(["shop"]), Distinct()] = ()
    """Callers: every pod of these namespaces that is in the mesh."""

    service_accounts: Annotated[tuple[Account, ...], NotEmpty(["shop/orders"]), Distinct()] = ()
    """Callers: pods of these service accounts. A service of this program has one of its own name."""

    gateway: Annotated[bool, Always(only=True)] | None = None
    """Callers: the ingress gateway, and so all clients outside the mesh."""

    methods: Annotated[tuple[Method, ...], NotEmpty(["GET"]), Distinct()] = ()
    """The allowed methods."""

    paths: Annotated[tuple[CalledPath, ...], NotEmpty(["/api/*"]), Distinct()] = ()
    """The allowed paths, as the version gets them: after a rewrite.

    The mesh must decode paths like the app; otherwise `/api/..%2Fadmin` is `/api/*` for the proxy and
    `/admin` for an app that decodes `%2F`. `mesh-platform` configures this; in another mesh set
    `meshConfig.pathNormalization.normalization` to `DECODE_AND_MERGE_SLASHES`. To print the current value:
    `kubectl get configmap istio -n istio-system -o jsonpath={.data.mesh}`.
    """

    token: bool | None = None
    """Whether these calls need a token of `jwt`.

    Where absent, they need one if `jwt.required` is true, except for paths without callers: those are public,
    as for health checks, logins and static files. Public paths are still validated: an invalid token gets 401
    on every path.
    """

    @property
    def is_open(self) -> bool:
        """Whether some of the paths are allowed for all clients."""
        callers = self.namespaces or self.service_accounts or self.gateway
        return bool(self.paths) and EVERY_PATH not in self.paths and not callers


@exactly_one("jwksUri", "jwks")
@dataclass(frozen=True, kw_only=True)
class Jwt:
    """Tokens of requests, as `Authorization: Bearer …`. An invalid token gets 401.

    A token in the URL is ignored: access logs would contain it.

    The pods' proxies validate them, for callers inside the mesh as for those at the gateway. Preflight
    requests of browsers have no token: let `cors` answer them at the gateway.
    """

    issuer: Claim
    """The issuer of the tokens: the claim `iss`."""

    jwks_uri: KeysUri | None = None
    """The URL of the issuer's public keys, which istiod fetches and refreshes.

    Only https, with a certificate that istiod trusts.
    """

    jwks: KeySet | None = None
    """The keys themselves, for an issuer that the control plane cannot reach."""

    audiences: Annotated[tuple[Claim, ...], NotEmpty(["shop"]), Distinct()] = ()
    """The accepted audiences, of which a token must have one: the claim `aud`. Any where absent."""

    required: bool = True
    """Whether a request without a token gets 403. If false, only existing tokens are validated.

    `allow.NAME.token` overrides it for some calls.
    """

    forward: bool = True
    """Whether the app gets the token. By default Istio would remove it."""


@at_least_one("mtls", "allow", "jwt")
@dataclass(frozen=True, kw_only=True)
class Security:
    """Authentication and authorization of callers. Where absent, the mesh's own policies apply."""

    mtls: Literal["STRICT", "PERMISSIVE"] | None = None
    """STRICT: only callers in the mesh, with its certificates. PERMISSIVE: also plain text, for migrations.

    The kubelet's probes pass in both modes: Istio redirects them around the proxy.
    """

    allow: Annotated[Mapping[Label, Admission], NotEmpty({"users": {"gateway": True}})] | None = None
    """The allowed calls, by a name of your choice. If present, all other calls get 403."""

    jwt: Jwt | None = None
    """Tokens of users, in addition to the certificates of pods."""
