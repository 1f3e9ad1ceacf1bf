"""What Pulumi keeps of a stack: what it applied last, in whose name, and which objects those are."""

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
"""Where Pulumi's provider keeps the name in which it applied an object."""


@dataclass(frozen=True, kw_only=True)
class StoredState:
    """One object in the state."""

    inputs: Manifest
    manager: str | None
    uid: str | None


@dataclass(frozen=True, kw_only=True)
class State:
    """The Kubernetes objects of a stack, by URN."""

    objects: Mapping[str, StoredState]
    pending: Sequence[str] = ()
    """Operations of which it is not known whether they happened: an update runs now, or was killed."""

    @classmethod
    def of(cls, project: Project, stack: str) -> Self:
        """Ask Pulumi.

        Raises:
            OperationError: it cannot say, or the stack was never deployed.
        """
        try:
            # A workspace, not a stack: that would become the one that is selected.
            workspace = auto.LocalWorkspace(work_dir=str(project.folder), pulumi_command=installed())
            exported = workspace.export_stack(stack).deployment or {}
        except (auto.CommandError, FileNotFoundError) as error:
            if "no stack named" in str(error):
                raise _never_deployed(stack) from error
            raise OperationError(
                f"Pulumi cannot tell the state of stack {stack}",
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
        """Tell what the stack file says that was not applied yet, by URN: create, update or delete."""
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
        f"stack {stack} was never deployed: its state holds no object",
        fix=f"pulumi up --stack {stack}",
    )


def is_object(state: Mapping[str, Any]) -> bool:
    """Tell whether a resource of a state is an object that Pulumi applied to the cluster."""
    return state["type"].startswith("kubernetes:") and state["custom"] and not state.get("external")


def _stored(state: Mapping[str, Any]) -> StoredState:
    outputs, inputs = state.get("outputs") or {}, state.get("inputs") or {}
    return StoredState(
        inputs={key: value for key, value in inputs.items() if not key.startswith("__")},
        manager=outputs.get(MANAGER) or inputs.get(MANAGER),
        uid=(outputs.get("metadata") or {}).get("uid"),
    )
