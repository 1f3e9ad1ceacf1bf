"""Service and Deployments → the keys `app` and `versions`. Pure."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from operations.adoption.family import Family
from operations.adoption.policies import policy
from operations.errors import OperationError
from operations.manifests import Manifest

Keys = dict[str, Any]
"""Keys of a stack file."""

IMAGE = re.compile(r"(?P<repository>.+?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>.+))?")


def app(family: Family, probe: str | None) -> Keys:
    """Say what all versions share.

    Args:
        family: the app's objects.
        probe: the path that answers 200, where no Deployment says it.

    Raises:
        OperationError: nobody says the path.
    """
    pods = [_container(each) for each in family.deployments.values()]
    said = (path for pod in pods for key in ("readinessProbe", "livenessProbe") if (path := _path(pod, key)))
    path = probe or next(said, None)
    if path is None:
        names = ", ".join(each["metadata"]["name"] for each in family.deployments.values())
        raise OperationError(
            f"Deployment {names}: no readinessProbe with httpGet.path, and every version needs one: a pod "
            "gets traffic once its probe answers 200",
            mend="say the path: --probe /PATH",
        )
    repositories = Counter(_image(pod)["repository"] for pod in pods)
    return {
        "name": family.app,
        "image": repositories.most_common(1)[0][0],
        "port": _port(family.service, pods[0]),
        "probe": path,
    }


def versions(family: Family, repository: str) -> Keys:
    """Say what sets each version apart."""
    policies = {
        subset["name"]: policy(subset.get("trafficPolicy") or {})
        for rule in family.rules
        for subset in rule["spec"].get("subsets", ())
    }
    return {
        name: {
            **_source(_container(deployment), repository),
            **_count(deployment, family.autoscalers.get(name)),
            **_pod(deployment, family.app),
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
    container = _container(deployment)
    resources = {
        part: {key: str(amount) for key, amount in amounts.items() if key in ("cpu", "memory")}
        for part, amounts in (container.get("resources") or {}).items()
        if part in ("requests", "limits")
    }
    account = deployment["spec"]["template"]["spec"].get("serviceAccountName")
    found = {
        "resources": {part: amounts for part, amounts in resources.items() if amounts},
        "env": {
            each["name"]: value for each in container.get("env", ()) if (value := _value(each)) is not None
        },
        "envFrom": [source for each in container.get("envFrom", ()) if (source := _env_source(each))],
        "serviceAccount": account if account not in (app_name, "default") else None,
    }
    return {key: value for key, value in found.items() if value}


def _value(variable: Mapping[str, Any]) -> object:
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


def _container(deployment: Manifest) -> Mapping[str, Any]:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    own: Mapping[str, Any] = next(each for each in containers if each["name"] != "istio-proxy")
    return own


def _image(container: Mapping[str, Any]) -> dict[str, str | None]:
    found = IMAGE.fullmatch(container["image"])
    return found.groupdict() if found else {"repository": container["image"], "tag": None, "digest": None}


def _path(container: Mapping[str, Any], probe: str) -> str | None:
    path: str | None = container.get(probe, {}).get("httpGet", {}).get("path")
    return path


def _port(service: Manifest, container: Mapping[str, Any]) -> int:
    port = service["spec"]["ports"][0]
    target = port.get("targetPort", port["port"])
    named = {each.get("name"): each["containerPort"] for each in container.get("ports", ())}
    return int(named.get(target, target))
