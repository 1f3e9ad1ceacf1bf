"""Finds the versions to which a VirtualService or an HTTPRoute sends requests. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.manifests.route_match import Spec
from components.model.service import Service


def active_versions(spec: Spec, service: Service) -> frozenset[str]:
    """Return the versions that get requests, or copies of them, by the spec of a routes object.

    An older spec may name versions that the service no longer has.
    """
    of_subsets = (name for route in spec.get("http") or () for name in _subsets(route))
    of_services = (name for rule in spec.get("rules") or () for name in _services(rule))
    prefix = service.workload("")
    return frozenset([*of_subsets, *(name.removeprefix(prefix) for name in of_services)])


def _subsets(route: Mapping[str, Any]) -> Iterator[str]:
    for each in route.get("route") or ():
        # A single destination has no weight and gets all requests.
        if each.get("weight", 1):
            yield each["destination"].get("subset", "")
    if route.get("mirror"):
        yield route["mirror"].get("subset", "")


def _services(rule: Mapping[str, Any]) -> Iterator[str]:
    for each in rule.get("backendRefs") or ():
        if each.get("weight", 1):
            yield each["name"]
    for each in rule.get("filters") or ():
        if "requestMirror" in each:
            yield each["requestMirror"]["backendRef"]["name"]
