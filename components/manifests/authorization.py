"""Settings → the rules of an AuthorizationPolicy. Pure: no Pulumi, no cluster."""

from typing import Final

from components.manifests.route_match import Spec
from components.model.security import Admission, Jwt, Security
from components.model.stack import Ingress

TRUST_DOMAIN: Final = "cluster.local"
"""In a policy Istio reads it as the mesh's own trust domain, whatever that is called."""


def gateway_accounts(ingress: Ingress) -> list[str]:
    """Name the service accounts that the gateway's pods may have, as `namespace/name`.

    Istio's charts call the account like the Service, istioctl adds a suffix. Both are let in: whoever can
    make the other one in the gateway's namespace has the gateway, and without its own it answers 403 to all.
    """
    if ingress.service_account:
        return [f"{ingress.namespace}/{ingress.service_account}"]
    return [ingress.service, f"{ingress.service}-service-account"]


def authorization_rules(security: Security, ingress: Ingress) -> list[Spec]:
    """Write each admission as a rule, with the token that it needs; without any, the token is the rule."""
    jwt = security.jwt
    # Not requestPrincipals: those take a subject as well, which tokens for machines often lack.
    token = {"when": [{"key": "request.auth.claims[iss]", "values": [jwt.issuer]}]} if jwt else {}
    if security.allow is None:
        return [token] if jwt and jwt.required else []
    return [
        _rule(admission, ingress) | (token if _needs_token(admission, jwt) else {})
        for admission in security.allow.values()
    ]


def _needs_token(admission: Admission, jwt: Jwt | None) -> bool:
    if admission.token is not None:
        return admission.token
    return jwt is not None and jwt.required and not admission.is_open


def _rule(admission: Admission, ingress: Ingress) -> Spec:
    accounts = [*admission.service_accounts, *(gateway_accounts(ingress) if admission.gateway else ())]
    # Callers in one source would have to be all of that at once; of several sources one is enough.
    callers = {
        "namespaces": list(admission.namespaces),
        "principals": [_principal(account) for account in accounts],
    }
    calls = {"methods": list(admission.methods), "paths": list(admission.paths)}
    operation = {key: values for key, values in calls.items() if values}
    sources = [{"source": {key: values}} for key, values in callers.items() if values]
    return ({"from": sources} if sources else {}) | ({"to": [{"operation": operation}]} if operation else {})


def _principal(account: str) -> str:
    namespace, _, name = account.partition("/")
    return f"{TRUST_DOMAIN}/ns/{namespace}/sa/{name}"
