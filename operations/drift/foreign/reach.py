"""What a stack reaches: its hosts, Services, pods and ways in, read off what it declares. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from operations.kube.cluster import in_kind
from operations.kube.manifests import Manifest

MESH = "mesh"
"""The gateway of a VirtualService for callers in the mesh."""

Labels = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Pods:
    """The pods of one Deployment."""

    workload: str
    labels: Labels


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Of one stack."""

    namespaces: frozenset[str]
    """Where its pods are, not where it has an object among others'."""
    owned: frozenset[str]
    """Those of them that it declares: what is in another one may be meant for other pods there."""
    services: Mapping[str, Labels]
    """The Services in its namespace and what they select."""
    pods: Sequence[Pods]
    hosts: frozenset[str]
    """What callers ask for from outside. `*` is no host: whatever is more particular goes before it."""
    gateways: frozenset[str]
    """The Gateways that its routes hang on, as `namespace/name`."""
    own_gateways: frozenset[str]
    """Those of them that the stack declares."""
    wildcards: frozenset[str]
    """The hosts, `*` among them, of which others may take a part."""

    @classmethod
    def of(cls, declared: Sequence[Manifest]) -> Self:
        """Read it off what is declared."""
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
            pods=[
                Pods(workload=each["metadata"]["name"], labels=each["spec"]["template"]["metadata"]["labels"])
                for each in in_kind(own, "Deployment")
            ],
            # A Service's name alone means another one in each namespace.
            hosts=hosts - {"*", *services},
            gateways=frozenset(way for each in declared for way in ways_of(each)) - {MESH},
            own_gateways=frozenset(way for each in in_kind(declared, "Gateway") for way in ways_of(each)),
            wildcards=frozenset(host for host in hosts if host.startswith("*")),
        )

    def is_own(self, manifest: Manifest) -> bool:
        """Whether an object is in the namespace of the stack's pods."""
        return manifest["metadata"].get("namespace") in self.namespaces

    def owns_place(self, manifest: Manifest) -> bool:
        """Whether an object stands in a namespace that is the stack's alone."""
        return manifest["metadata"].get("namespace") in self.owned

    def takes(self, host: str) -> bool:
        """Whether a host at the stack's own Gateway means some that the stack answers for."""
        return any(overlap(host, own) for own in self.hosts | self.wildcards)

    def service(self, host: str, namespace: str) -> str | None:
        """Find the Service that a name means to callers in a namespace; a wildcard may mean several."""
        host = host.lower()
        for name in self.services:
            for own in self.namespaces:
                names = [f"{name}.{own}", f"{name}.{own}.svc", f"{name}.{own}.svc.cluster.local"]
                names += [name] if namespace == own else []
                # `*.local` of another namespace is the mesh's own; what names this one is not.
                is_near = namespace == own or host.endswith(f".{own}.svc.cluster.local")
                if host in names or (is_near and overlap(host, names[2])):
                    return name
        return None

    def chosen(self, selector: Mapping[str, Any] | None, namespace: str) -> str | None:
        """Find the Deployment whose pods a selector selects in a namespace."""
        if namespace not in self.namespaces:
            return None
        return next((each.workload for each in self.pods if selects(selector, each.labels)), None)


def namespaces_of(declared: Sequence[Manifest]) -> frozenset[str]:
    """Name the namespaces of a stack's pods, which it declares or uses."""
    names = {each["metadata"]["name"] for each in in_kind(declared, "Namespace")}
    return frozenset(names | {each["metadata"]["namespace"] for each in in_kind(declared, "Deployment")})


def hosts_of(manifest: Manifest) -> list[str]:
    """List the hosts that an object says it answers for, of all kinds that say any."""
    spec = manifest.get("spec") or {}
    servers = [host.rpartition("/")[2] for server in spec.get("servers") or () for host in server["hosts"]]
    listeners = [each["hostname"] for each in spec.get("listeners") or () if each.get("hostname")]
    rules = [each["host"] for each in spec.get("rules") or () if each.get("host")]
    hosts = spec.get("hosts") or () if manifest["kind"] in ("VirtualService", "ServiceEntry") else ()
    return [*hosts, *servers, *listeners, *(spec.get("hostnames") or ()), *rules]


def ways_of(manifest: Manifest) -> list[str]:
    """List the Gateways on which an object hangs, or that it is."""
    namespace, spec = manifest["metadata"].get("namespace", ""), manifest.get("spec") or {}
    if manifest["kind"] == "Gateway":
        return [f"{namespace}/{manifest['metadata']['name']}"]
    if manifest["kind"] == "VirtualService":
        return [_full(each, namespace) for each in spec.get("gateways") or [MESH]]
    return [
        f"{each.get('namespace', namespace)}/{each['name']}"
        for each in spec.get("parentRefs") or ()
        if each.get("kind", "Gateway") == "Gateway"
    ]


def services_of(manifest: Manifest) -> list[tuple[str, str]]:
    """List the Services on which a route of the Gateway API hangs, with the namespace that each is of."""
    namespace, spec = manifest["metadata"].get("namespace", ""), manifest.get("spec") or {}
    parents = [each for each in spec.get("parentRefs") or () if each.get("kind") == "Service"]
    return [(each["name"], each.get("namespace", namespace)) for each in parents]


def _full(gateway: str, namespace: str) -> str:
    return gateway if gateway == MESH or "/" in gateway else f"{namespace}/{gateway}"


def overlap(one: str, other: str) -> bool:
    """Whether there is a host that both mean; `*.example.com` means all below it."""
    if one.startswith("*"):
        return other.removeprefix("*").endswith(one[1:]) or (other[:1] == "*" and one.endswith(other[1:]))
    return (other.startswith("*") and one.endswith(other[1:])) or one == other


def selects(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Whether a label selector matches; an empty one matches all, none matches nothing."""
    if selector is None:
        return False
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
