"""Finds the objects of one app among all objects. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.errors import OperationError
from operations.kube.manifests import Manifest


@dataclass(frozen=True, kw_only=True)
class AppObjects:
    """A Service and its objects."""

    namespace: str
    service: Manifest
    deployments: Mapping[str, Manifest]
    """By version."""
    autoscalers: Mapping[str, Manifest]
    """By version."""
    rules: Sequence[Manifest]
    """DestinationRules for the Service."""
    routes: Sequence[Manifest]
    """VirtualServices that route to the Service alone; the gateway's first."""
    gateways: Sequence[Manifest]
    """Gateways of the namespace that the routes name."""
    named_gateways: Mapping[str, Manifest]
    """All existing Gateways that the routes name, in any namespace, by `NAMESPACE/NAME`."""
    shared_gateways: Collection[str]
    """Those of them that other VirtualServices name too, by `NAMESPACE/NAME`."""
    others: Sequence[Manifest]
    """Objects that do not belong to the app."""

    @property
    def app(self) -> str:
        """The Service's name."""
        return str(self.service["metadata"]["name"])

    @property
    def gateway_names(self) -> list[str]:
        """The Gateways that the routes name, as `NAMESPACE/NAME`."""
        return list(dict.fromkeys(name for each in self.routes for name in gateways_of(each, self.namespace)))

    @property
    def own_gateways(self) -> Mapping[str, Manifest]:
        """Gateways for this app alone, by `NAMESPACE/NAME`."""
        own = {f"{self.namespace}/{each['metadata']['name']}": each for each in self.gateways}
        return {name: each for name, each in own.items() if name not in self.shared_gateways}

    @property
    def members(self) -> list[Manifest]:
        """All objects of the app."""
        workloads = [*self.deployments.values(), *self.autoscalers.values()]
        return [self.service, *workloads, *self.rules, *self.gateways, *self.routes]


def find_family(
    objects: Sequence[Manifest], namespace: str, app: str | None, elsewhere: Sequence[Manifest] = ()
) -> AppObjects:
    """Find the objects of an app, which need not be named if there is only one.

    Args:
        objects: all objects, with the app's among them.
        namespace: their namespace.
        app: the name of its Service; None if there is only one.
        elsewhere: VirtualServices and Gateways of the whole cluster, to find out whether a Gateway is shared.

    Raises:
        OperationError: there is no such Service, none with Deployments, or several and none is named.
    """
    service = _service(objects, app)
    name = service["metadata"]["name"]
    deployments = dict(sorted(_versions(objects, service)))
    rules = [each for each in _kind(objects, "DestinationRule") if _is(each["spec"]["host"], name, namespace)]
    routes = [
        each
        for each in _kind(objects, "VirtualService")
        if (hosts := list(destinations(each))) and all(_is(host, name, namespace) for host in hosts)
    ]
    routes.sort(key=lambda each: is_internal(each["spec"]))
    named = {name for each in routes for name in gateways_of(each, namespace)}
    placed = {_place(each, namespace): each for each in _kind([*elsewhere, *objects], "Gateway")}
    gateways = [each for each in _kind(objects, "Gateway") if _place(each, namespace) in named]
    own = {_place(each, namespace) for each in routes}
    foreign_objects = [
        each for each in _kind([*elsewhere, *objects], "VirtualService") if _place(each, namespace) not in own
    ]
    by_name = {each["metadata"]["name"]: version for version, each in deployments.items()}
    autoscalers = {
        by_name[target]: each
        for each in _kind(objects, "HorizontalPodAutoscaler")
        if (target := each["spec"]["scaleTargetRef"]["name"]) in by_name
    }
    family = AppObjects(
        namespace=namespace,
        service=service,
        deployments=deployments,
        autoscalers=autoscalers,
        rules=rules,
        routes=routes,
        gateways=gateways,
        named_gateways={name: placed[name] for name in named & placed.keys()},
        shared_gateways={
            name
            for each in foreign_objects
            for name in gateways_of(each, each["metadata"].get("namespace", namespace))
        },
        others=(),
    )
    members = [id(each) for each in family.members]
    others = [each for each in objects if id(each) not in members and each["kind"] != "Namespace"]
    return AppObjects(**{**vars(family), "others": others})


def destinations(virtual_service: Manifest) -> Iterator[str]:
    """List the hosts that a VirtualService routes and mirrors to."""
    for rule in virtual_service["spec"].get("http", ()):
        for entry in [*rule.get("route", ()), *rule.get("mirrors", ())]:
            yield entry["destination"]["host"]
        if "mirror" in rule:
            yield rule["mirror"]["host"]


def gateways_of(virtual_service: Manifest, namespace: str) -> Iterator[str]:
    """Name the Gateways of a VirtualService that is in a namespace, as `NAMESPACE/NAME`."""
    for name in virtual_service["spec"].get("gateways", ()):
        if name != "mesh":
            yield name if "/" in name else f"{namespace}/{name}"


def container_of(deployment: Manifest) -> Mapping[str, Any]:
    """Return the app's container of a Deployment's pods."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    own: Mapping[str, Any] = next(each for each in containers if each["name"] != "istio-proxy")
    return own


def port_number(container: Mapping[str, Any], port: int | str) -> int:
    """Return the number of a container's port that is given by number or by name."""
    named = {each["name"]: each["containerPort"] for each in container.get("ports", ()) if "name" in each}
    return int(named.get(port, port))


def is_internal(spec: Mapping[str, Any]) -> bool:
    """Return whether a VirtualService is for callers inside the mesh alone."""
    return set(spec.get("gateways") or ("mesh",)) == {"mesh"}


def _service(objects: Sequence[Manifest], app: str | None) -> Manifest:
    services = {each["metadata"]["name"]: each for each in _kind(objects, "Service")}
    if app is not None and app not in services:
        raise OperationError(
            f"no Service {app}; existing: {', '.join(services) or 'none'}", fix="name another: --app SERVICE"
        )
    fitting = {name: each for name, each in services.items() if any(_versions(objects, each))}
    if app is not None and app not in fitting:
        selector = services[app]["spec"].get("selector")
        raise OperationError(
            f"Service {app} selects no Deployment: spec.selector is {selector}",
            fix="add the files of its Deployments, or name another Service: --app SERVICE",
        )
    if app is None and len(fitting) != 1:
        found = f"{len(fitting)} Services with Deployments: {', '.join(fitting) or 'none'}"
        raise OperationError(f"a stack has one app; found {found}", fix="name one: --app SERVICE")
    return fitting[app or next(iter(fitting))]


def _versions(objects: Sequence[Manifest], service: Manifest) -> Iterator[tuple[str, Manifest]]:
    selector = (service["spec"].get("selector") or {}).items()
    for each in _kind(objects, "Deployment"):
        labels = each["spec"]["template"]["metadata"].get("labels", {})
        if selector and selector <= labels.items():
            name = each["metadata"]["name"]
            yield labels.get("version") or name.removeprefix(f"{service['metadata']['name']}-"), each


def _kind(objects: Iterable[Manifest], kind: str) -> list[Manifest]:
    return [each for each in objects if each["kind"] == kind]


def _place(thing: Manifest, namespace: str) -> str:
    return f"{thing['metadata'].get('namespace', namespace)}/{thing['metadata']['name']}"


def _is(host: str, service: str, namespace: str) -> bool:
    return host in {
        service,
        f"{service}.{namespace}",
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.cluster.local",
    }
