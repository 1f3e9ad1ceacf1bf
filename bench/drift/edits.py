"""The catalogue of manual edits, bench/drift/edits.yaml, and the objects that they change."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bench.commands import Manifest, kubectl, patch

_DOCUMENT: Final[Mapping[str, Any]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
STACKS: Final[Mapping[str, Mapping[str, Any]]] = _DOCUMENT["stacks"]
"""Stack files by name."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One edit of one object."""

    name: str
    object: str
    """The object, as kubectl names it."""
    stack: str = "istio"
    patch: Sequence[Mapping[str, Any]] = ()
    kubectl: str = ""
    create: Manifest | None = None
    """An object that no stack manages: it is reported and never deleted."""

    def make(self, namespace: str) -> None:
        """Make the edit in the stack's namespace."""
        where = f"--namespace={namespace}"
        if self.create:
            kubectl("create", where, "--filename=-", stdin=json.dumps(self.create))
        if self.patch:
            patch(self.object, namespace, self.patch)
        for line in self.kubectl.splitlines():
            kubectl(*shlex.split(line.replace("NAMESPACE", namespace)), where)

    def clean_up(self, namespace: str) -> None:
        """Delete what `--fix` may leave: the unmanaged object, pods that no ReplicaSet owns any more."""
        if self.object == "pod":
            kubectl("delete", "pods", "--selector=app=shop", f"--namespace={namespace}")
        if self.create:
            kubectl("delete", self.object, f"--namespace={namespace}", "--ignore-not-found")

    def is_in(self, findings: Sequence[Mapping[str, Any]]) -> bool:
        """Whether `operations drift` has a finding on the object; one without a name is found by its kind."""
        kind, _, name = self.object.partition("/")
        found = {(each["object"]["kind"].lower(), each["object"]["name"]) for each in findings}
        return any(each == kind.partition(".")[0] and name in {other, ""} for each, other in found)


EDITS: Final = [Edit(**each) for each in _DOCUMENT["edits"]]


def live_objects(declared: Sequence[Manifest]) -> dict[str, Any]:
    """Read the declared objects as they are, less what the API server and autoscalers write."""
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": declared})
    found = kubectl("get", "--filename=-", "--ignore-not-found", "--output=json", stdin=document)
    autoscaled = {
        each["metadata"]["name"]
        for each in declared
        if each["kind"] == "Deployment" and "replicas" not in each["spec"]
    }
    objects = json.loads(found)["items"] if found else []
    return {f"{each['kind']} {each['metadata']['name']}": _declarable(each, autoscaled) for each in objects}


def _declarable(live: Manifest, autoscaled: set[str]) -> Manifest:
    metadata, spec = live["metadata"], live.get("spec", {})
    for key in ("clusterIP", "clusterIPs"):
        spec.pop(key, None)
    if live["kind"] == "Deployment":
        spec["template"]["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/restartedAt", None)
        if metadata["name"] in autoscaled:
            del spec["replicas"]
    annotations = dict(metadata.get("annotations", {}))
    annotations.pop("deployment.kubernetes.io/revision", None)
    return {"labels": metadata.get("labels", {}), "annotations": annotations, "spec": spec}
