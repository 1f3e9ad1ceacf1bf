"""Read from Pulumi's state what was applied last, under which field manager, and to which objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pulumi import automation as auto

from operations.errors import OperationError
from operations.kube.manifests import Manifest, is_applied
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.recorder import Resource
from operations.pulumi_stack.stack import LOG_LINES, installed, spelled

MANAGER = "__fieldManager"
"""The key under which Pulumi's provider stores the field manager of an object."""


@dataclass(frozen=True, kw_only=True)
class StoredState:
    """An object in the state."""

    inputs: Manifest
    manager: str | None
    uid: str | None


@dataclass(frozen=True, kw_only=True)
class State:
    """The Kubernetes objects of a stack, by URN."""

    objects: Mapping[str, StoredState]
    pending: Sequence[str] = ()
    """Operations without a recorded result: an update is running, or was killed."""

    @classmethod
    def of(cls, project: Project, stack: str) -> Self:
        """Export the state.

        Raises:
            OperationError: Pulumi cannot export it, or the stack was never deployed.
        """
        try:
            # A Stack object would select the stack in the workspace.
            workspace = auto.LocalWorkspace(work_dir=str(project.folder), pulumi_command=installed())
            exported = workspace.export_stack(stack).deployment or {}
        except (auto.CommandError, FileNotFoundError) as error:
            if "no stack named" in str(error):
                raise _never_deployed(stack) from error
            raise OperationError(
                f"Pulumi cannot export the state of stack {stack}",
                evidence=_last_lines(error),
                fix=f"pulumi stack export --stack {stack}",
            ) from error
        resources = exported.get("resources") or []
        objects = {each["urn"]: _stored(each) for each in resources if is_object(each)}
        if not objects:
            raise _never_deployed(stack)
        pending = exported.get("pending_operations") or []
        return cls(
            objects=objects,
            pending=[f"{each['type']} {spelled(each['resource']['urn'])}" for each in pending],
        )

    def unapplied(self, declared: Sequence[Resource]) -> dict[str, str]:
        """Return the changes of the stack file that are not applied yet, by URN: create, update or delete."""
        wanted = {each.urn: each for each in declared if is_applied(each)}
        found = {urn: "create" for urn in wanted if urn not in self.objects}
        found |= {urn: "delete" for urn in self.objects if urn not in wanted}
        for urn, resource in wanted.items():
            if urn in self.objects and self.objects[urn].inputs != dict(resource.inputs):
                found[urn] = "update"
        return found


def _last_lines(error: Exception) -> str:
    return "\n".join(str(error).strip().splitlines()[-LOG_LINES:])


def _never_deployed(stack: str) -> OperationError:
    return OperationError(
        f"stack {stack} was never deployed: its state contains no object",
        fix=f"pulumi up --stack {stack}",
    )


def is_object(state: Mapping[str, Any]) -> bool:
    """Return whether a resource of a state is an object that Pulumi applied to the cluster."""
    return state["type"].startswith("kubernetes:") and state["custom"] and not state.get("external")


def _stored(state: Mapping[str, Any]) -> StoredState:
    outputs, inputs = state.get("outputs") or {}, state.get("inputs") or {}
    return StoredState(
        inputs={key: value for key, value in inputs.items() if not key.startswith("__")},
        manager=outputs.get(MANAGER) or inputs.get(MANAGER),
        uid=(outputs.get("metadata") or {}).get("uid"),
    )
