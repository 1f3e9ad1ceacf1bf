"""Adds existing objects to a stack, with Pulumi's Automation API."""

from collections.abc import Sequence
from pathlib import Path

from pulumi import automation as auto

from operations.adoption.import_state import merge
from operations.errors import OperationError
from operations.kube.cluster import same_object
from operations.kube.manifests import Manifest, is_applied
from operations.pulumi_stack.recorder import STACK, Resource
from operations.pulumi_stack.stack import PulumiStack, ReportLine

ENVIRONMENT = {"PULUMI_K8S_ENABLE_PATCH_FORCE": "true", "MESH_APP_ADOPTS": "true"}
"""The first makes Pulumi take over fields that kubectl owns; otherwise each difference is a conflict.

The second lets the program create new objects while those that it takes over have no identity yet.
"""

HARMLESS = {auto.OpType.CREATE, auto.OpType.UPDATE}


class Takeover:
    """A stack that takes over existing objects."""

    def __init__(self, folder: Path, stack: str, report_line: ReportLine) -> None:
        self.report_line = report_line
        self._name = stack
        self._updates = PulumiStack(folder, stack, report_line, variables=ENVIRONMENT, create=True)

    def know(self, resources: Sequence[Resource], taken: Sequence[Manifest], project: str) -> None:
        """Add the objects to the stack's state, and read them. Nothing changes in the cluster."""
        existing = urns(resources, taken)
        root = f"urn:pulumi:{self._name}::{project}::{STACK}::{project}-{self._name}"
        self._updates.run("stack import", lambda: self._import(resources, existing, root))
        self._updates.refresh()

    def preview(self) -> dict[str, list[str]]:
        """List what `pulumi up` would do, by object, and the fields that change.

        Raises:
            OperationError: it would delete or replace an object, or the preview failed.
        """
        changes = self._updates.preview()
        harmful = [str(each) for each in changes if each.op not in HARMLESS]
        if harmful:
            raise OperationError(
                f"pulumi up would {', '.join(harmful)}; nothing was changed in the cluster",
                fix=f"pulumi preview --diff --stack {self._name}",
            )
        return {str(each): list(each.fields) for each in changes if each.type != STACK}

    def up(self, *, but: Sequence[str] = ()) -> None:
        """Run `pulumi up`, without the resources of some URNs.

        Raises:
            OperationError: it failed; the existing pods still serve.
        """
        self._updates.up(but=but)

    def _import(self, resources: Sequence[Resource], existing: set[str], root: str) -> None:
        stack = self._updates.stack
        exported = stack.export_stack()
        state = dict(exported.deployment or {})
        state["resources"] = merge(state.get("resources") or [], resources, existing, root)
        stack.import_stack(auto.Deployment(version=exported.version, deployment=state))


def urns(resources: Sequence[Resource], objects: Sequence[Manifest]) -> set[str]:
    """Return the URNs of the resources that declare one of these objects."""
    return {
        each.urn
        for each in resources
        if is_applied(each) and any(same_object(dict(each.inputs), other) for other in objects)
    }
