"""Finds variables whose values may be secrets; the stack file refers to a Secret instead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.rollout.log_redaction import resembles_secret
from operations.adoption.app_objects import AppObjects, container_of
from operations.errors import OperationError
from operations.kube.cluster import Cluster, in_kind
from operations.kube.manifests import Manifest


@dataclass(frozen=True, kw_only=True)
class PlainSecrets:
    """Variables of one Deployment whose plain values are not written into the stack file."""

    namespace: str
    deployment: str
    container: str
    names: Sequence[str]
    secret: str
    """The Secret that the stack file names."""

    def command(self, context: str) -> str:
        """Return a bash command that creates the Secret from the live values, without printing them."""
        kubectl = f"kubectl --context {context} --namespace {self.namespace}"
        values = (
            f"--from-file={name}=<({kubectl} get deployment {self.deployment} --output "
            f'jsonpath=\'{{.spec.template.spec.containers[?(@.name=="{self.container}")]'
            f'.env[?(@.name=="{name}")].value}}\')'
            for name in self.names
        )
        return f"{kubectl} create secret generic {self.secret} {' '.join(values)}"


def is_plain_secret(variable: Mapping[str, Any]) -> bool:
    """Return whether a variable has a plain value that must not be in a stack file."""
    return "valueFrom" not in variable and resembles_secret(variable["name"], variable.get("value") or "")


def secret_of(deployment: Manifest) -> str:
    """Return the name of the Secret for the variables of a Deployment."""
    return f"{deployment['metadata']['name']}-env"


def plain_secrets(family: AppObjects) -> list[PlainSecrets]:
    """List the Deployments with such variables."""
    found = []
    for each in family.deployments.values():
        container = container_of(each)
        names = [one["name"] for one in container.get("env", ()) if is_plain_secret(one)]
        if names:
            found.append(
                PlainSecrets(
                    namespace=family.namespace,
                    deployment=each["metadata"]["name"],
                    container=container["name"],
                    names=names,
                    secret=secret_of(each),
                )
            )
    return found


def check(found: Sequence[PlainSecrets], declared: Sequence[Manifest], cluster: Cluster) -> None:
    """Stop a takeover whose pods would wait for a Secret.

    Args:
        found: Deployments with such variables.
        declared: the objects that the stack file declares.
        cluster: the cluster that must have the Secrets.

    Raises:
        OperationError: a Secret does not exist.
    """
    needed = {name for each in in_kind(declared, "Deployment") for name in _secrets(each)}
    for each in found:
        metadata = {"name": each.secret, "namespace": each.namespace}
        secret: Manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        if each.secret in needed and cluster.find(secret) is None:
            raise OperationError(
                f"the pods of {each.deployment} need Secret {each.secret} with {', '.join(each.names)}, and "
                f"namespace {each.namespace} has none; nothing was changed in the cluster",
                fix=f"in bash: {each.command(cluster.context)}",
            )


def _secrets(deployment: Manifest) -> Iterator[str]:
    for variable in container_of(deployment).get("env", ()):
        if reference := (variable.get("valueFrom") or {}).get("secretKeyRef"):
            yield reference["name"]
