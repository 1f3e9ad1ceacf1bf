"""Writes the stack file for the objects of an app."""

from pathlib import Path
from typing import Any, Final

import yaml

from operations.adoption.app_objects import AppObjects
from operations.adoption.apps import app, versions
from operations.adoption.routes import traffic
from operations.kube.manifests import Manifest

HEADER: Final = """\
# Written by `python -m operations adopt` from existing objects. You may edit it.
"""


def stack_config(
    family: AppObjects,
    namespace: Manifest | None,
    *,
    shared: bool,
    project: str,
    context: str,
    ingress: dict[str, Any],
    probe: str | None,
) -> dict[str, Any]:
    """Return the config of a stack file for the objects of an app.

    Args:
        family: the app's objects.
        namespace: the Namespace, whose labels decide about sidecars; None if it is unknown.
        shared: whether the namespace exists in the cluster: then the stack uses it and never deletes it.
        project: the project's name, the prefix of each key.
        context: the kubeconfig context.
        ingress: the value of `ingress`.
        probe: the path that answers 200, if no Deployment has it.

    Raises:
        OperationError: the value of a required key is unknown.
    """
    common = app(family, probe)
    selectors = [each["spec"].get("selector") for each in family.gateways]
    selector = {"selector": selectors[0]} if any(selectors) else {}
    existing = {"existing": True} if shared else {}
    own = {
        "namespace": {"name": family.namespace, "injection": injection(namespace), **existing},
        "app": common,
        "versions": versions(family, common),
        **traffic(family),
        "ingress": {**ingress, **selector},
    }
    return {
        "kubernetes:context": context,
        "pulumi:disable-default-providers": ["kubernetes"],
        **{f"{project}:{key}": value for key, value in own.items()},
    }


def write(file: Path, config: dict[str, Any]) -> None:
    """Write the file, with the keys in their order in the documentation."""
    text = yaml.safe_dump({"config": config}, sort_keys=False, allow_unicode=True, width=110)
    file.write_text(HEADER + text, encoding="utf-8")


def injection(namespace: Manifest | None) -> object:
    """Return how pods get their sidecar, from the namespace's labels; without any, each pod has its own."""
    if namespace is None:
        return "enabled"
    labels = namespace["metadata"].get("labels") or {}
    if labels.get("istio.io/dataplane-mode") == "ambient":
        return "ambient"
    if "istio-injection" in labels:
        return labels["istio-injection"]
    return {"revision": labels["istio.io/rev"]} if "istio.io/rev" in labels else "manual"
