"""Settings → the rules of an AuthorizationPolicy. Pure: no Pulumi, no cluster."""

from typing import Final

from components.manifests.route_match import Spec
from components.model.security import Admission, Jwt, Security
from components.model.stack import Ingress

TRUST_DOMAIN: Final = "cluster.local"
"""Istio replaces it in policies by the mesh's own trust domain."""


def gateway_accounts(ingress: Ingress) -> list[str]:
    """Return the service accounts that the gateway's pods may have, as `namespace/name`.

    Istio's charts name the account like the Service, istioctl adds a suffix. Both are admitted: creating the
    other one needs rights in the gateway's namespace, and without its own the gateway answers 403 to all.
    """
    if ingress.service_account:
        return [f"{ingress.namespace}/{ingress.service_account}"]
    return [ingress.service, f"{ingress.service}-service-account"]


def authorization_rules(security: Security, ingress: Ingress) -> list[Spec]:
    """Return a rule for each admission with the token that it needs, or only a rule for the token."""
    jwt = security.jwt
    # Not requestPrincipals: those need a subject as well, which tokens of machines often lack.
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
    # The fields of one source are combined with AND, several sources with OR.
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
