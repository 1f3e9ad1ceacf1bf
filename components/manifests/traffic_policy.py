"""The resilience settings of a version → the trafficPolicy of its subset. Pure."""

from typing import TypeVar

from components.manifests.route_match import Spec
from components.model.locality import LocalityPolicy
from components.model.resilience import LoadBalancer, Outliers
from components.model.service import Service
from components.schema.decode import encode

T = TypeVar("T")


def policy(service: Service, version: str) -> Spec:
    """Return the policy of a version, completed by the settings of the service."""
    own, general = service.versions[version], service.resilience
    pool = own.connection_pool or general.connection_pool
    outliers = own.outliers or general.outliers
    spec = {
        "connectionPool": encode(pool) if pool else None,
        "outlierDetection": _outliers(outliers) if outliers else None,
        "loadBalancer": _load_balancer(
            own.load_balancer or general.load_balancer, own.locality or general.locality
        ),
    }
    return {key: value for key, value in spec.items() if value}


def _outliers(outliers: Outliers) -> Spec:
    written: Spec = encode(outliers)
    if "consecutive5xx" in written:
        written["consecutive5xxErrors"] = written.pop("consecutive5xx")
    return written


def _load_balancer(balancer: LoadBalancer | None, locality: LocalityPolicy | None) -> Spec:
    written: Spec = encode(balancer) if balancer else {}
    return written | ({"localityLbSetting": encode(locality)} if locality else {})
