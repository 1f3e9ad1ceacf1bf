"""Converts the trafficPolicy of a DestinationRule or subset to keys of the stack file. Pure."""

from collections.abc import Mapping
from typing import Any


def policy(traffic_policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of `resilience`. Their inner keys are Istio's own, except for one."""
    outliers = dict(traffic_policy.get("outlierDetection") or {})
    if "consecutive5xxErrors" in outliers:
        outliers["consecutive5xx"] = outliers.pop("consecutive5xxErrors")
    balancer = dict(traffic_policy.get("loadBalancer") or {})
    locality = dict(balancer.pop("localityLbSetting", None) or {})
    found = {
        "connectionPool": traffic_policy.get("connectionPool"),
        "outliers": outliers,
        "loadBalancer": balancer,
        "locality": locality,
    }
    return {key: value for key, value in found.items() if value}
