"""The number of a version's pods passes from the stack to an autoscaler and back, and never falls meanwhile.

Server-side apply resets a field that its last owner no longer names, and the default of `replicas` is 1. So
the stack gives up the field before it applies a Deployment without it: then the number stays as it is until
the autoscaler changes it. On the way back the autoscaler goes first: the engine deletes it only at the end of
the update, and until then it would change the number that the stack has just set.
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
"""What the names begin with under which Pulumi's provider applies objects."""

ATTEMPTS: Final = 5
"""Of a patch. Controllers write their notes beside it."""


class AutoscalerHandover:
    """Waits for each update of one version's Deployment, and passes the number of its pods on."""

    def __init__(self, service: Service, version: str, stack: Stack, hooks: SharedHooks) -> None:
        self._app, self._version, self._name = service.app.name, version, service.workload(version)
        self._hooks = hooks
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)

    @property
    def hook(self) -> pulumi.ResourceHook:
        """For the Deployment, before it is updated."""
        return self._hooks.of("replicas-change", self._name, self._change)

    async def _change(self, args: pulumi.ResourceHookArgs) -> None:
        try:
            if not _names_replicas(args.new_inputs):
                await self._give_up()
            elif not _names_replicas(args.old_inputs):
                await self._remove_autoscaler()
        except KubectlError as error:
            raise HandoverError(
                f"{self._app}: Deployment {self._name} is left as it is, because kubectl has to pass the "
                f"number of its pods to or from an autoscaler, and failed: {error}; then `pulumi up`"
            ) from error

    async def _give_up(self) -> None:
        """Take the number of pods out of what the API server has noted as the stack's."""
        for attempt in range(ATTEMPTS):
            words = ("get", "deployment", self._name, "--show-managed-fields", "--ignore-not-found")
            said = await self._kubectl(*words, "--output=json")
            patch = giving_up(json.loads(said)) if said else []
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
        """Delete the stack's own; the engine finds it gone at the end of the update."""
        chosen = ",".join(f"{key}={value}" for key, value in OURS.items())
        name = f"--field-selector=metadata.name={self._name}"
        await self._kubectl("delete", "horizontalpodautoscalers", name, f"--selector={chosen}")


def giving_up(deployment: Object) -> list[Operation]:
    """Make the patch after which the provider owns the number of pods no longer; empty where it does not.

    Args:
        deployment: as the API server has it, with its managed fields.
    """
    patch: list[Operation] = []
    for nth, entry in enumerate(deployment["metadata"].get("managedFields", ())):
        at = f"/metadata/managedFields/{nth}"
        is_ours = entry.get("operation") == "Apply" and entry.get("manager", "").startswith(PROVIDER)
        if is_ours and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {}):
            # Another entry may have taken this place since.
            patch.append({"op": "test", "path": f"{at}/manager", "value": entry["manager"]})
            patch.append({"op": "test", "path": f"{at}/operation", "value": "Apply"})
            patch.append({"op": "remove", "path": f"{at}/fieldsV1/f:spec/f:replicas"})
    return patch


def _names_replicas(inputs: object) -> bool:
    return isinstance(inputs, dict) and "replicas" in (inputs.get("spec") or {})
