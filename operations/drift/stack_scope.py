"""Determine a stack's hosts, Services, pods and Gateways from its declared objects. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from operations.kube.cluster import in_kind
from operations.kube.manifests import Manifest

MESH = "mesh"
"""The gateway of a VirtualService for callers in the mesh."""

Labels = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class StackScope:
    """What of a cluster belongs to one stack."""

    namespaces: frozenset[str]
    """The namespaces of its pods."""
    owned: frozenset[str]
    """The namespaces that it declares; in others, an object may be meant for other pods."""
    services: Mapping[str, Labels]
    """The selectors of the Services in its namespaces, by name."""
    deployments: Mapping[str, Labels]
    """The pod labels of its Deployments, by name."""
    hosts: frozenset[str]
    """The hosts for callers outside the mesh, without `*`: more specific hosts take precedence over it."""
    gateways: frozenset[str]
    """The Gateways of its routes, as `namespace/name`."""
    own_gateways: frozenset[str]
    """The Gateways that the stack declares."""
    wildcards: frozenset[str]
    """Its wildcard hosts, including `*`: other routes may take part of their traffic."""

    @classmethod
    def of(cls, declared: Sequence[Manifest]) -> Self:
        """Read the scope from the declared objects."""
        namespaces = namespaces_of(declared)
        own = [each for each in declared if each["metadata"].get("namespace") in namespaces]
        services = {
            each["metadata"]["name"]: each["spec"].get("selector") or {} for each in in_kind(own, "Service")
        }
        hosts = frozenset(host.lower() for each in declared for host in hosts_of(each))
        return cls(
            namespaces=namespaces,
            owned=frozenset(each["metadata"]["name"] for each in in_kind(declared, "Namespace")),
            services=services,
            deployments={
                each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
                for each in in_kind(own, "Deployment")
            },
            # The short name of a Service refers to a different Service in each namespace.
            hosts=hosts - {"*", *services},
            gateways=frozenset(name for each in declared for name in gateways_of(each)) - {MESH},
            own_gateways=frozenset(
                name for each in in_kind(declared, "Gateway") for name in gateways_of(each)
            ),
            wildcards=frozenset(host for host in hosts if host.startswith("*")),
        )

    def in_namespace(self, manifest: Manifest) -> bool:
        """Return whether an object is in a namespace of the stack's pods."""
        return manifest["metadata"].get("namespace") in self.namespaces

    def in_owned_namespace(self, manifest: Manifest) -> bool:
        """Return whether an object is in a namespace that the stack declares."""
        return manifest["metadata"].get("namespace") in self.owned

    def service(self, host: str, namespace: str) -> str | None:
        """Return the Service that a host, possibly a wildcard, refers to for callers in a namespace."""
        host = host.lower()
        for name in self.services:
            for own in self.namespaces:
                names = [f"{name}.{own}", f"{name}.{own}.svc", f"{name}.{own}.svc.cluster.local"]
                names += [name] if namespace == own else []
                # `*.local` in another namespace is a rule of the whole mesh, unless it names this namespace.
                is_near = namespace == own or host.endswith(f".{own}.svc.cluster.local")
                if host in names or (is_near and overlap(host, names[2])):
                    return name
        return None

    def deployment(self, selector: Mapping[str, Any], namespace: str) -> str | None:
        """Return the Deployment whose pods a label selector matches in a namespace."""
        own = self.deployments if namespace in self.namespaces else {}
        return next((name for name, labels in own.items() if selects(selector, labels)), None)


def namespaces_of(declared: Sequence[Manifest]) -> frozenset[str]:
    """Return the namespaces of a stack's pods, which it declares or uses."""
    names = {each["metadata"]["name"] for each in in_kind(declared, "Namespace")}
    return frozenset(names | {each["metadata"]["namespace"] for each in in_kind(declared, "Deployment")})


def hosts_of(manifest: Manifest) -> list[str]:
    """Return the hosts in the spec of a route, Gateway or ServiceEntry."""
    spec = manifest.get("spec") or {}
    servers = [host.rpartition("/")[2] for server in spec.get("servers") or () for host in server["hosts"]]
    listeners = [each["hostname"] for each in spec.get("listeners") or () if each.get("hostname")]
    hosts = spec.get("hosts") or () if manifest["kind"] in ("VirtualService", "ServiceEntry") else ()
    return [*hosts, *servers, *listeners, *(spec.get("hostnames") or ())]


def gateways_of(manifest: Manifest) -> list[str]:
    """Return the Gateways that a route is attached to, or the Gateway itself, as `namespace/name`."""
    namespace, spec = manifest["metadata"].get("namespace", ""), manifest.get("spec") or {}
    if manifest["kind"] == "Gateway":
        return [f"{namespace}/{manifest['metadata']['name']}"]
    if manifest["kind"] == "VirtualService":
        names = spec.get("gateways") or [MESH]
        return [name if name == MESH or "/" in name else f"{namespace}/{name}" for name in names]
    return [
        f"{each.get('namespace', namespace)}/{each['name']}"
        for each in spec.get("parentRefs") or ()
        if each.get("kind", "Gateway") == "Gateway"
    ]


def overlap(one: str, other: str) -> bool:
    """Return whether two hosts have a host in common; `*.example.com` includes all its subdomains."""
    if one.startswith("*"):
        return other.removeprefix("*").endswith(one[1:]) or (other[:1] == "*" and one.endswith(other[1:]))
    return (other.startswith("*") and one.endswith(other[1:])) or one == other


def selects(selector: Mapping[str, Any], labels: Labels) -> bool:
    """Return whether a label selector matches; an empty one matches all."""
    exact: Iterable[tuple[str, str]] = (selector.get("matchLabels") or {}).items()
    return all(labels.get(key) == value for key, value in exact) and all(
        _matches(each, labels) for each in selector.get("matchExpressions") or ()
    )


def _matches(expression: Mapping[str, Any], labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]
