"""Converts Service and Deployments to the keys `app` and `versions`. Pure."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from operations.adoption.app_objects import AppObjects, container_of, port_number
from operations.adoption.probes import probes, shared_path
from operations.adoption.secrets import is_plain_secret, secret_of
from operations.adoption.traffic_policy import policy
from operations.errors import OperationError
from operations.kube.fields import flow
from operations.kube.manifests import Manifest

Keys = dict[str, Any]
"""Keys of a stack file."""

IMAGE = re.compile(r"(?P<repository>.+?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>.+))?")


def app(family: AppObjects, probe: str | None) -> Keys:
    """Return the value of `app`: what all versions share.

    Args:
        family: the app's objects.
        probe: the path that answers 200, if no Deployment has it.

    Raises:
        OperationError: the path is unknown.
    """
    pods = [container_of(each) for each in family.deployments.values()]
    port = _port(family.service, pods[0])
    path = probe or shared_path(family, port)
    repositories = Counter(_image(pod)["repository"] for pod in pods)
    return {
        "name": family.app,
        "image": repositories.most_common(1)[0][0],
        "port": port,
        "probe": path,
    }


def versions(family: AppObjects, shared: Keys) -> Keys:
    """Return the value of `versions`: how each version differs.

    Args:
        family: the app's objects.
        shared: the value of `app`.
    """
    policies = {
        subset["name"]: policy(subset.get("trafficPolicy") or {})
        for rule in family.rules
        for subset in rule["spec"].get("subsets", ())
    }
    return {
        name: {
            **_source(container_of(deployment), shared["image"]),
            **_count(deployment, family.autoscalers.get(name)),
            **_pod(deployment, family.app),
            **probes(container_of(deployment), shared),
            **policies.get(name, {}),
        }
        for name, deployment in family.deployments.items()
    }


def _source(container: Mapping[str, Any], repository: str) -> Keys:
    image = _image(container)
    own = {"image": image["repository"]} if image["repository"] != repository else {}
    if image["digest"]:
        return {**own, "digest": image["digest"]}
    return {**own, "tag": image["tag"] or "latest"}


def _count(deployment: Manifest, autoscaler: Manifest | None) -> Keys:
    if autoscaler is None:
        replicas = deployment["spec"].get("replicas", 1)
        return {"replicas": replicas} if replicas != 1 else {}
    spec = autoscaler["spec"]
    targets = [
        each["resource"]["target"]["averageUtilization"]
        for each in spec.get("metrics", ())
        if each.get("resource", {}).get("name") == "cpu"
        and "averageUtilization" in each["resource"]["target"]
    ]
    cpu = {"cpu": targets[0]} if targets else {}
    return {"autoscaling": {"min": spec.get("minReplicas", 1), "max": spec["maxReplicas"], **cpu}}


def _pod(deployment: Manifest, app_name: str) -> Keys:
    container = container_of(deployment)
    resources = {
        part: {key: str(amount) for key, amount in amounts.items() if key in ("cpu", "memory")}
        for part, amounts in (container.get("resources") or {}).items()
        if part in ("requests", "limits")
    }
    account = deployment["spec"]["template"]["spec"].get("serviceAccountName")
    found = {
        "resources": {part: amounts for part, amounts in resources.items() if amounts},
        "env": {
            each["name"]: value
            for each in container.get("env", ())
            if (value := _value(each, deployment)) is not None
        },
        "envFrom": [source for each in container.get("envFrom", ()) if (source := _env_source(each))],
        "serviceAccount": account if account not in (app_name, "default") else None,
    }
    return {key: value for key, value in found.items() if value}


def _value(variable: Mapping[str, Any], deployment: Manifest) -> object:
    if is_plain_secret(variable):
        # A stack file is for git.
        return {"secret": secret_of(deployment), "key": variable["name"]}
    if "valueFrom" not in variable:
        return variable.get("value", "")
    for kind, key in (("secretKeyRef", "secret"), ("configMapKeyRef", "configMap")):
        if reference := variable["valueFrom"].get(kind):
            optional = {"optional": True} if reference.get("optional") else {}
            return {key: reference["name"], "key": reference["key"], **optional}
    return None


def _env_source(source: Mapping[str, Any]) -> Keys:
    for kind, key in (("secretRef", "secret"), ("configMapRef", "configMap")):
        if reference := source.get(kind):
            extras = {"prefix": source.get("prefix"), "optional": reference.get("optional")}
            return {key: reference["name"], **{name: value for name, value in extras.items() if value}}
    return {}


def _image(container: Mapping[str, Any]) -> dict[str, str | None]:
    found = IMAGE.fullmatch(container["image"])
    return found.groupdict() if found else {"repository": container["image"], "tag": None, "digest": None}


def _port(service: Manifest, container: Mapping[str, Any]) -> int:
    """Return the one port of Service and pods.

    Raises:
        OperationError: callers of the Service would lose a port, or the way by which they reach it.
    """
    name, spec = service["metadata"]["name"], service["spec"]
    outward = {key: spec[key] for key in ("type", "externalIPs") if spec.get(key, "ClusterIP") != "ClusterIP"}
    for key, value in outward.items():
        raise OperationError(
            f"Service {name}: spec.{key} is {flow(value)}, and the program's Service is reached inside the "
            "cluster alone; its callers from outside would be refused",
            fix="give those callers the gateway, or a Service of their own, then run this again",
        )
    ports = spec["ports"]
    if len(ports) > 1:
        listed = ", ".join(str(each["port"]) for each in ports)
        raise OperationError(
            f"Service {name}: spec.ports has {len(ports)} ports ({listed}), and the program's Service has "
            "one; callers of the others would be refused",
            fix="move the other ports to a Service of their own, then run this again",
        )
    port = ports[0]
    target = port.get("targetPort", port["port"])
    number = port_number(container, target)
    if number != port["port"]:
        raise OperationError(
            f"Service {name}: spec.ports[0].port is {port['port']} and leads to port {number} of the pods, "
            f"and the program has one port for both; callers of {name}:{port['port']} would be refused",
            fix=f"let the app listen on port {port['port']}, or let callers use port {number} of a Service "
            "that has it, then run this again",
        )
    return number
