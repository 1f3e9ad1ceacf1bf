"""Settings → the specs of the Istio security objects of a service. Pure: no Pulumi, no cluster."""

from components.manifests.authentication import jwt_rule
from components.manifests.authorization import authorization_rules
from components.manifests.route_match import Spec
from components.model.service import Service
from components.model.stack import Ingress


def specs(service: Service, ingress: Ingress) -> dict[str, Spec]:
    """Return the specs by kind, in the order of their creation.

    Tokens are validated before requests without one are refused.
    """
    security = service.security
    if security is None:
        return {}
    rules = authorization_rules(security, ingress)
    found = {
        "PeerAuthentication": {"mtls": {"mode": security.mtls}} if security.mtls else None,
        "RequestAuthentication": {"jwtRules": [jwt_rule(security.jwt)]} if security.jwt else None,
        "AuthorizationPolicy": {"action": "ALLOW", "rules": rules} if rules else None,
    }
    selector = {"selector": {"matchLabels": {"app": service.app.name}}}
    return {kind: selector | spec for kind, spec in found.items() if spec}


def refuses_plain_text(service: Service) -> str | None:
    """Return the kind of the first policy that refuses callers without a certificate of the mesh, if any."""
    if service.security is None:
        return None
    if service.security.mtls == "STRICT":
        return "PeerAuthentication"
    admissions = (service.security.allow or {}).values()
    by_certificate = any(each.namespaces or each.service_accounts or each.gateway for each in admissions)
    return "AuthorizationPolicy" if by_certificate else None
