"""Who may call a service, and how callers prove who they are. Each pod's own proxy sees to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from components.model.text import Method
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
        description="the path of a URL, with '*' only at its end, where it stands for any rest",
        example="/api/*",
        longest=1024,
    ),
]

Claim = Annotated[
    str,
    Pattern(
        pattern=r"[^\s*\x00-\x1f\x7f]+",
        description="a claim of a token, letter for letter: text without spaces and '*'",
        example="https://issuer.example.com",
        longest=1024,
    ),
]

KeysUri = Annotated[
    str,
    Pattern(
        pattern=r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[1-9][0-9]{0,4})?"
        r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?",
        description="an https URL: over http, keys of whoever sits in between would be taken",
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
    """Calls of one kind that are let in: any of the callers, with any of the methods, for any of the paths.

    Without callers anybody may make them; without methods or paths the callers may use all of them. Beside
    `jwt` they bring a token, unless `token` says otherwise: paths for anybody are open without one.
    """

    namespaces: Annotated[tuple[Label, ...], NotEmpty(["shop"]), Distinct()] = ()
    """Callers: every pod of these namespaces that is in the mesh."""

    service_accounts: Annotated[tuple[Account, ...], NotEmpty(["shop/orders"]), Distinct()] = ()
    """Callers: pods of these service accounts. A service of this program has one of its own name."""

    gateway: Annotated[bool, Always(only=True)] | None = None
    """Callers: the ingress gateway, and with it whoever comes from outside."""

    methods: Annotated[tuple[Method, ...], NotEmpty(["GET"]), Distinct()] = ()
    """The methods they may use."""

    paths: Annotated[tuple[CalledPath, ...], NotEmpty(["/api/*"]), Distinct()] = ()
    """The paths they may ask for, as the version sees them: after a rewrite.

    The mesh has to decode paths as the app does, or `/api/..%2Fadmin` counts as `/api/*` for the proxy and as
    `/admin` for an app that decodes `%2F`. `mesh-platform` sees to that; in a mesh of another origin set
    `meshConfig.pathNormalization.normalization` to `DECODE_AND_MERGE_SLASHES`. To see what it is:
    `kubectl get configmap istio -n istio-system -o jsonpath={.data.mesh}`.
    """

    token: bool | None = None
    """Whether these calls need a token of `jwt`.

    Where it is absent they do if `jwt.required` says so, but for paths that name no callers: those are open
    to anybody, as for health checks, logins and static files. Open does not mean unchecked: a token that is
    there and does not hold gets 401 on every path.
    """

    @property
    def is_open(self) -> bool:
        """Whether anybody may make these calls, for some of the paths."""
        callers = self.namespaces or self.service_accounts or self.gateway
        return bool(self.paths) and EVERY_PATH not in self.paths and not callers


@exactly_one("jwksUri", "jwks")
@dataclass(frozen=True, kw_only=True)
class Jwt:
    """Tokens that requests bring along, as `Authorization: Bearer …`. A token that does not hold gets 401.

    A token in the URL counts for nothing: it would stand in access logs.

    The pods' proxies check them, so callers inside the mesh are held to the same as those at the gateway.
    Preflight requests of browsers carry no token: let `cors` answer them at the gateway.
    """

    issuer: Claim
    """Who signs them: the claim `iss`."""

    jwks_uri: KeysUri | None = None
    """Where the issuer's public keys are. Istio's control plane fetches them, and again as they change.

    Only over https, with a certificate that istiod trusts.
    """

    jwks: KeySet | None = None
    """The keys themselves, for an issuer that the control plane cannot reach."""

    audiences: Annotated[tuple[Claim, ...], NotEmpty(["shop"]), Distinct()] = ()
    """Whom the tokens must be meant for, one of these: the claim `aud`. Anybody where absent."""

    required: bool = True
    """Whether a request without a token gets 403. If not, only a token that is there has to hold.

    `allow.NAME.token` says it for calls of one kind.
    """

    forward: bool = True
    """Whether the app sees the token. Istio itself would keep it."""


@at_least_one("mtls", "allow", "jwt")
@dataclass(frozen=True, kw_only=True)
class Security:
    """What callers must prove, and what they may do. Where it is absent the mesh's own rules hold."""

    mtls: Literal["STRICT", "PERMISSIVE"] | None = None
    """STRICT: only callers in the mesh, with its certificates. PERMISSIVE: plain text as well, for a move.

    The kubelet's probes pass in either: Istio leads them around the proxy.
    """

    allow: Annotated[Mapping[Label, Admission], NotEmpty({"users": {"gateway": True}})] | None = None
    """Who may call what, by a name of your own. Where it is present, everything else gets 403."""

    jwt: Jwt | None = None
    """Tokens of users, besides the certificates of pods."""
