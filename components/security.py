"""Settings → the specs of Istio's security objects, as Istio writes them. Pure: no Pulumi, no cluster."""

from typing import Final

from components.matching import Spec
from components.model.security import Admission, Jwt, Security
from components.model.service import Service
from components.model.stack import Ingress

TRUST_DOMAIN: Final = "cluster.local"
"""In a policy Istio reads it as the mesh's own trust domain, whatever that is called."""

BEARER: Final[Spec] = {"name": "Authorization", "prefix": "Bearer "}
"""Where a token is read. Envoy would also take one from the query `access_token`, which access logs hold."""


def specs(service: Service, ingress: Ingress) -> dict[str, Spec]:
    """List what the stack file asks for, by kind, in the order in which it has to be made.

    Tokens are understood before anybody is refused for the lack of one.
    """
    security = service.security
    if security is None:
        return {}
    rules = _rules(security, ingress)
    found = {
        "PeerAuthentication": {"mtls": {"mode": security.mtls}} if security.mtls else None,
        "RequestAuthentication": {"jwtRules": [_jwt_rule(security.jwt)]} if security.jwt else None,
        "AuthorizationPolicy": {"action": "ALLOW", "rules": rules} if rules else None,
    }
    selector = {"selector": {"matchLabels": {"app": service.app.name}}}
    return {kind: selector | spec for kind, spec in found.items() if spec}


def refuses_plain_text(service: Service) -> str | None:
    """Name the kind of the first policy that refuses callers without a certificate of the mesh, if any."""
    if service.security is None:
        return None
    if service.security.mtls == "STRICT":
        return "PeerAuthentication"
    admissions = (service.security.allow or {}).values()
    by_certificate = any(each.namespaces or each.service_accounts or each.gateway for each in admissions)
    return "AuthorizationPolicy" if by_certificate else None


def gateway_accounts(ingress: Ingress) -> list[str]:
    """Name the service accounts that the gateway's pods may have, as `namespace/name`.

    Istio's charts call the account like the Service, istioctl adds a suffix. Both are let in: whoever can
    make the other one in the gateway's namespace has the gateway, and without its own it answers 403 to all.
    """
    if ingress.service_account:
        return [f"{ingress.namespace}/{ingress.service_account}"]
    return [ingress.service, f"{ingress.service}-service-account"]


def _jwt_rule(jwt: Jwt) -> Spec:
    keys = {"jwksUri": jwt.jwks_uri} if jwt.jwks_uri else {"jwks": jwt.jwks}
    audiences = {"audiences": list(jwt.audiences)} if jwt.audiences else {}
    return {
        "issuer": jwt.issuer,
        **keys,
        **audiences,
        "fromHeaders": [BEARER],
        "forwardOriginalToken": jwt.forward,
    }


def _rules(security: Security, ingress: Ingress) -> list[Spec]:
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
