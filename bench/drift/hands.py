"""A person's hands: kubectl, on the objects of one stack."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from bench.drift.catalogue import HAND, Mutation
from operations.manifests import Manifest

KUBECTL_SECONDS: Final = 120
SERVERS: Final = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
)  # fmt: skip
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
        elif mutation.kubectl:
            self._kubectl(self._filled(mutation.kubectl).split(" "), mutation.namespace)
        elif mutation.apply:
            name = mutation.object.partition("/")[2]
            manifest = {**mutation.apply, "metadata": {"name": name}}
            words = ["apply", "--server-side", "--force-conflicts", "--field-manager=other-team"]
            self._kubectl([*words, "--filename=-"], mutation.namespace, manifest)
        elif mutation.replace:
            self._replace(mutation)
        else:
            for patch in filter(None, (mutation.patch, mutation.then)):
                words = ["patch", self._filled(mutation.object), "--type=json"]
                self._kubectl([*words, f"--patch={self._filled(json.dumps(patch))}"], mutation.namespace)

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
        found = {}
        for each in self.declared:
            metadata = each["metadata"]
            kind = f"{each['kind']}.{each['apiVersion'].rpartition('/')[0]}".rstrip(".")
            said = self._kubectl(
                ["get", kind, metadata["name"], "--output=json", "--ignore-not-found"],
                metadata.get("namespace", ""),
            )
            found[f"{kind} {metadata['name']}"] = _comparable(json.loads(said)) if said else None
        return found

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

    def _filled(self, text: str) -> str:
        extra = [
            each["metadata"]["name"]
            for each in self.declared
            if each["kind"] == "Service" and each["metadata"]["namespace"] != self.namespace
        ]
        words = {"UNSEEN": "unseen.example.com", "EXTRA": "".join(extra[:1])}
        if "POD" in text:
            words["POD"] = self._pod()
        for word, value in words.items():
            text = text.replace(word, value)
        return text.replace("NS ", f"{self.namespace} ").replace("/NS", f"/{self.namespace}")

    def _pod(self) -> str:
        words = ["get", "pods", "--selector=app=shop,version=v2", "--output=json"]
        items = json.loads(self._kubectl(words, ""))["items"]
        alive = [each["metadata"] for each in items if "deletionTimestamp" not in each["metadata"]]
        return str(alive[0]["name"])

    def _kubectl(self, words: Sequence[str], namespace: str, stdin: Mapping[str, Any] | None = None) -> str:
        done = subprocess.run(
            ["kubectl", *words, f"--namespace={namespace or self.namespace}"],
            input=yaml.safe_dump(stdin) if stdin else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=KUBECTL_SECONDS,
        )
        if done.returncode:
            message = f"kubectl {' '.join(words)}: {done.stderr}"
            raise RuntimeError(message)
        return done.stdout


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


def _comparable(live: Manifest) -> Manifest:
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
    return {**body, "metadata": metadata}
