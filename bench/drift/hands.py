"""A person's hands: kubectl, on the objects of one stack."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from bench.drift.catalogue import HAND, Mutation
from bench.kubectl import kubectl
from operations.kube.manifests import Manifest

SERVERS: Final = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
)  # fmt: skip
KUBECTL_SECONDS: Final = 120
ADDRESSES: Final = ("clusterIP", "clusterIPs")
"""What the API server chooses anew for a Service that is made again."""


@dataclass(frozen=True, kw_only=True)
class Hands:
    """On one stack."""

    namespace: str
    declared: Sequence[Manifest]

    def do(self, mutation: Mutation) -> None:
        """Make the edit."""
        if mutation.make:
            self._make(mutation)
        elif mutation.apply:
            name = mutation.object.partition("/")[2]
            manifest = {**mutation.apply, "metadata": {"name": name}}
            words = ["apply", "--server-side", "--force-conflicts", "--field-manager=other-team"]
            self._kubectl([*words, "--filename=-"], mutation.namespace, manifest)
        elif mutation.replace:
            self._replace(mutation)
        else:
            for patch in filter(None, (mutation.patch, mutation.then)):
                self._patch(mutation, patch)
            commands = [mutation.kubectl] if isinstance(mutation.kubectl, str) else mutation.kubectl
            for command in commands:
                self._kubectl(self._filled(command, mutation).split(" "), mutation.namespace)
            if mutation.forgotten:
                self._forget(mutation)

    def kubectl(self, words: str) -> str:
        """Run kubectl in the stack's namespace."""
        return self._kubectl(words.split(" "), "")

    def undo(self, mutation: Mutation) -> None:
        """Take away what was made, for the next edit to stand alone where nobody else took it away."""
        if mutation.make:
            kind = f"{mutation.make['kind']}.{mutation.make['apiVersion'].rpartition('/')[0]}".rstrip(".")
            self._kubectl(["delete", kind, HAND, "--ignore-not-found", "--wait=false"], mutation.namespace)

    def touches(self, mutation: Mutation) -> tuple[str, str]:
        """Tell the kind and name of the object, as a report names it."""
        if mutation.make:
            return str(mutation.make["kind"]), HAND
        kind, _, name = self._filled(mutation.object).partition("/")
        return KINDS[kind.partition(".")[0]], name

    def objects(self) -> dict[str, Any]:
        """Read all declared objects as they are, less what the API server chooses by itself."""
        found: dict[str, Any] = {_name(each): None for each in self.declared}
        for namespace in {each["metadata"].get("namespace", "") for each in self.declared}:
            there = [each for each in self.declared if each["metadata"].get("namespace", "") == namespace]
            names = [_name(each) for each in there]
            said = self._kubectl(["get", *names, "--output=json", "--ignore-not-found"], namespace)
            listed = json.loads(said) if said else {"items": []}
            for each in listed.get("items", [listed]):
                found[_name(each)] = _comparable(each, counted=_name(each) not in self._autoscaled())
        return found

    def _autoscaled(self) -> set[str]:
        deployments = (each for each in self.declared if each["kind"] == "Deployment")
        return {_name(each) for each in deployments if "replicas" not in each["spec"]}

    def _patch(self, mutation: Mutation, patch: Sequence[Mapping[str, Any]]) -> None:
        words = ["patch", self._filled(mutation.object), "--type=json"]
        text = self._filled(json.dumps(patch), mutation)
        self._kubectl([*words, f"--patch={text}"], mutation.namespace)

    def _forget(self, mutation: Mutation) -> None:
        notes = self._read(mutation.object, mutation.namespace)["metadata"]["managedFields"]
        stored = [each for each in notes if not each["manager"].startswith("kubectl")]
        self._patch(mutation, [{"op": "replace", "path": "/metadata/managedFields", "value": stored}])

    def _read(self, name: str, namespace: str = "") -> Manifest:
        words = ["get", self._filled(name), "--output=json", "--show-managed-fields"]
        live: Manifest = json.loads(self._kubectl(words, namespace))
        return live

    def _make(self, mutation: Mutation) -> None:
        manifest = json.loads(self._filled(json.dumps(mutation.make)))
        manifest["metadata"] = {"name": HAND, **manifest.get("metadata", {})}
        self._kubectl(["create", "--filename=-"], mutation.namespace, manifest)

    def _replace(self, mutation: Mutation) -> None:
        kind, name = self.touches(mutation)
        manifest = next(
            json.loads(json.dumps(each))
            for each in self.declared
            if (each["kind"], each["metadata"]["name"]) == (kind, name)
        )
        for each in mutation.patch:
            *above, last = str(each["path"]).strip("/").split("/")
            at = manifest
            for key in above:
                at = at[key]
            at[last] = each["value"]
        self._kubectl(["delete", mutation.object], mutation.namespace)
        self._kubectl(["create", "--filename=-"], mutation.namespace, manifest)

    def _filled(self, text: str, mutation: Mutation | None = None) -> str:
        words = {
            "UNSEEN": "unseen.example.com",
            "EXTRA": self._elsewhere("Service"),
            "SHARED": self._elsewhere("Gateway"),
        }
        if "POD" in text:
            words["POD"] = self._pod()
        if "MANAGER" in text and mutation:
            notes = self._read(mutation.object, mutation.namespace)["metadata"]["managedFields"]
            words["MANAGER"] = next(each["manager"] for each in notes if each["operation"] == "Apply")
        if '"UID"' in text:
            words["UID"] = self._read("serviceaccount/shop")["metadata"]["uid"]
        for word, value in words.items():
            text = text.replace(word, value)
        return text.replace("NS ", f"{self.namespace} ").replace("/NS", f"/{self.namespace}")

    def _elsewhere(self, kind: str) -> str:
        """Name the object of a kind that the stack has in another namespace, if it has one."""
        objects = (each["metadata"] for each in self.declared if each["kind"] == kind)
        return next((str(each["name"]) for each in objects if each["namespace"] != self.namespace), "")

    def _pod(self) -> str:
        words = ["get", "pods", "--selector=app=shop,version=v2", "--output=json"]
        items = json.loads(self._kubectl(words, ""))["items"]
        alive = [each["metadata"] for each in items if "deletionTimestamp" not in each["metadata"]]
        return str(alive[0]["name"])

    def _kubectl(self, words: Sequence[str], namespace: str, stdin: Mapping[str, Any] | None = None) -> str:
        text = yaml.safe_dump(stdin) if stdin else None
        where = f"--namespace={namespace or self.namespace}"
        return kubectl(*words, where, stdin=text, seconds=KUBECTL_SECONDS)


KINDS: Final = {
    "virtualservice": "VirtualService",
    "destinationrule": "DestinationRule",
    "gateway": "Gateway",
    "httproute": "HTTPRoute",
    "service": "Service",
    "serviceaccount": "ServiceAccount",
    "deployment": "Deployment",
    "hpa": "HorizontalPodAutoscaler",
    "pdb": "PodDisruptionBudget",
    "peerauthentication": "PeerAuthentication",
    "requestauthentication": "RequestAuthentication",
    "authorizationpolicy": "AuthorizationPolicy",
    "namespace": "Namespace",
    "pod": "Pod",
}


def _name(manifest: Manifest) -> str:
    kind = f"{manifest['kind']}.{manifest['apiVersion'].rpartition('/')[0]}".rstrip(".")
    return f"{kind}/{manifest['metadata']['name']}"


def _comparable(live: Manifest, *, counted: bool) -> Manifest:
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVERS}
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop("deployment.kubernetes.io/revision", None)
    metadata["annotations"] = annotations
    body = {key: value for key, value in live.items() if key not in ("metadata", "status")}
    if live["kind"] == "Service":
        body["spec"] = {key: value for key, value in live["spec"].items() if key not in ADDRESSES}
    if live["kind"] == "Deployment":
        template = body["spec"]["template"]["metadata"]["annotations"]
        template.pop("kubectl.kubernetes.io/restartedAt", None)
        if not counted:
            body["spec"] = {**body["spec"], "replicas": "some" if live["spec"]["replicas"] else "none"}
    return {**body, "metadata": metadata}
