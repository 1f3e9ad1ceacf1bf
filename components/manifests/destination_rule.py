"""Settings → the spec of a DestinationRule. Pure: no Pulumi, no cluster."""

from components.manifests import traffic_policy
from components.manifests.route_match import Spec
from components.model.service import Service


def destination_rule(service: Service, version: str) -> Spec:
    """One subset. Each version has a rule of its own, so that each subset can be ordered around the routes.

    Istio merges the subsets of all rules for one host. Traffic policy belongs inside the subset: of what
    stands at the top level, only the first rule's counts.
    """
    policy = traffic_policy.policy(service, version)
    subset = {"name": version, "labels": {"app": service.app.name, "version": version}}
    return {
        "host": service.app.name,
        "subsets": [subset | ({"trafficPolicy": policy} if policy else {})],
    }
