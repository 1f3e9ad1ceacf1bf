"""Settings → the specs of a service's HTTPRoute and of the DestinationRules of its versions."""

from collections.abc import Mapping

from components.gateway_api import gateway, http_route_matches, http_route_options
from components.manifests import traffic_policy
from components.manifests.http_rules import HttpRule, http_rules
from components.manifests.route_match import Spec
from components.model.routes import Sticky
from components.model.service import Service
from components.model.stack import Stack


def http_route(service: Service, stack: Stack) -> Spec:
    """Return all rules of the service (declared routes, cookie, weights) in one object."""
    hosts = [host for host in service.hosts if host != "*"]
    return {
        "parentRefs": gateway.parents(service, stack)
        # For callers in the mesh a route is attached to the Service that they call.
        + ([{"group": "", "kind": "Service", "name": service.app.name}] if service.mesh else []),
        **({"hostnames": hosts} if hosts else {}),
        "rules": [
            {"name": rule.name, "matches": taken, **_rule(service, rule)}
            for taken, rule in zip(http_route_matches.of_rules(service), http_rules(service), strict=True)
        ],
    }


def destination_rule(service: Service, version: str) -> Spec | None:
    """Return the traffic policy of a version, if any. Istio applies it to a Service as to a subset."""
    policy = traffic_policy.policy(service, version)
    return {"host": service.workload(version), "trafficPolicy": policy} if policy else None


def _rule(service: Service, rule: HttpRule) -> Spec:
    if rule.route and rule.route.redirect is not None:
        return http_route_options.redirect(rule.route.redirect)
    backends = (
        [http_route_options.backend(service, rule.to)]
        if isinstance(rule.to, str)
        else _split(service, rule.to or {}, rule.cookie)
    )
    options = (
        http_route_options.of_route(service, rule.route, rule.mirror)
        if rule.route
        else http_route_options.of_service(service, rule.mirror)
    )
    return options | {"backendRefs": backends}


def _split(service: Service, weights: Mapping[str, int], cookie: Sticky | None) -> list[Spec]:
    """Divide traffic between all versions, including those with weight 0, as in a VirtualService."""
    return [
        http_route_options.backend(service, version)
        | {"weight": weight}
        | (http_route_options.set_cookie(cookie, version) if cookie else {})
        for version, weight in service.shares(weights).items()
    ]
