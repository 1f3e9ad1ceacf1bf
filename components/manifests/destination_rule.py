"""Settings → the spec of a DestinationRule. Pure: no Pulumi, no cluster."""

from components.manifests import traffic_policy
from components.manifests.route_match import Spec
from components.model.service import Service


def destination_rule(service: Service, version: str) -> Spec:
    """Return the DestinationRule with the subset of one version, which can so be created before its routes.

    Istio merges the subsets of all rules for one host. The traffic policy is inside the subset: at the top
    level only that of the first rule applies.
    """
    policy = traffic_policy.policy(service, version)
    subset = {"name": version, "labels": {"app": service.app.name, "version": version}}
    return {
        "host": service.app.name,
        "subsets": [subset | ({"trafficPolicy": policy} if policy else {})],
    }
