"""Passes `replicas` of a Deployment from the stack to an autoscaler, or back, without losing pods.

Server-side apply resets a field that its last owner no longer sets, and the default of `replicas` is 1. So
the stack gives up the field before it applies a Deployment without it; the number then stays as it is until
the autoscaler changes it. In the other direction the autoscaler is deleted first: the engine would delete it
only at the end of the update, and until then it would overwrite the number that the stack has set.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import pulumi

from components.manifests.labels import OURS
from components.model.service import Service
from components.model.stack import Stack
from components.rollout.hooks import SharedHooks
from components.rollout.kubectl import Kubectl, KubectlError
from components.rollout.proxy_status import HandoverError

Object = Mapping[str, Any]
Operation = dict[str, str]
"""One operation of a JSON patch."""

PROVIDER: Final = "pulumi-kubernetes"
"""The prefix of the field managers of Pulumi's provider."""

ATTEMPTS: Final = 5
"""How often a patch is tried: controllers change the managed fields at the same time."""


class AutoscalerHandover:
    """Passes the number of one version's pods between the stack and an autoscaler, before each update."""

    def __init__(self, service: Service, version: str, stack: Stack, hooks: SharedHooks) -> None:
        self._app, self._version, self._name = service.app.name, version, service.workload(version)
        self._hooks = hooks
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)

    @property
    def hook(self) -> pulumi.ResourceHook:
        """Return the hook before an update of the Deployment."""
        return self._hooks.of("replicas-change", self._name, self._change)

    async def _change(self, args: pulumi.ResourceHookArgs) -> None:
        try:
            if not _names_replicas(args.new_inputs):
                await self._give_up()
            elif not _names_replicas(args.old_inputs):
                await self._remove_autoscaler()
        except KubectlError as error:
            raise HandoverError(
                f"{self._app}: Deployment {self._name} is not updated, because kubectl failed to pass its "
                f"replicas to or from an autoscaler: {error}. Fix this, then `pulumi up`"
            ) from error

    async def _give_up(self) -> None:
        """Remove `replicas` from the managed fields of the stack."""
        for attempt in range(ATTEMPTS):
            arguments = ("get", "deployment", self._name, "--show-managed-fields", "--ignore-not-found")
            output = await self._kubectl(*arguments, "--output=json")
            patch = giving_up(json.loads(output)) if output else []
            if not patch:
                return
            try:
                await self._kubectl(
                    "patch", "deployment", self._name, "--type=json", f"--patch={json.dumps(patch)}"
                )
            except KubectlError:
                if attempt + 1 == ATTEMPTS:
                    raise
            else:
                return

    async def _remove_autoscaler(self) -> None:
        """Delete the stack's autoscaler before the engine does at the end of the update."""
        chosen = ",".join(f"{key}={value}" for key, value in OURS.items())
        name = f"--field-selector=metadata.name={self._name}"
        await self._kubectl("delete", "horizontalpodautoscalers", name, f"--selector={chosen}")


def giving_up(deployment: Object) -> list[Operation]:
    """Return the patch that removes `replicas` from the provider's managed fields; empty if it owns none.

    Args:
        deployment: the live Deployment, with its managed fields.
    """
    patch: list[Operation] = []
    for nth, entry in enumerate(deployment["metadata"].get("managedFields", ())):
        at = f"/metadata/managedFields/{nth}"
        is_ours = entry.get("operation") == "Apply" and entry.get("manager", "").startswith(PROVIDER)
        if is_ours and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {}):
            # The tests fail the patch if another entry has moved to this index.
            patch.append({"op": "test", "path": f"{at}/manager", "value": entry["manager"]})
            patch.append({"op": "test", "path": f"{at}/operation", "value": "Apply"})
            patch.append({"op": "remove", "path": f"{at}/fieldsV1/f:spec/f:replicas"})
    return patch


def _names_replicas(inputs: object) -> bool:
    return isinstance(inputs, dict) and "replicas" in (inputs.get("spec") or {})
