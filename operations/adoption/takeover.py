"""Makes running objects a stack's own, through Pulumi's Automation API."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pulumi import automation as auto

from operations.adoption.state import merge
from operations.cluster import same_object
from operations.errors import OperationError
from operations.manifests import Manifest, is_applied
from operations.recording import STACK, Resource

LOG_LINES = 15
"""Lines of Pulumi's own words that an error shows."""

ENVIRONMENT = {"PULUMI_K8S_ENABLE_PATCH_FORCE": "true"}
"""Fields that kubectl wrote change hands: without it the first difference is a conflict."""

HARMLESS = {auto.OpType.SAME, auto.OpType.CREATE, auto.OpType.UPDATE, auto.OpType.READ, auto.OpType.REFRESH}

Tell = Callable[[str], None]


class Takeover:
    """A stack that is about to own what is running."""

    def __init__(self, folder: Path, stack: str, tell: Tell) -> None:
        self.tell = tell
        self._name = stack
        with self._run("stack select --create"):
            self._stack = auto.create_or_select_stack(
                stack_name=stack,
                work_dir=str(folder),
                opts=auto.LocalWorkspaceOptions(env_vars=ENVIRONMENT),
            )

    def know(self, resources: Sequence[Resource], taken: Sequence[Manifest], project: str) -> None:
        """Write the objects into the stack's state, and read them. Nothing changes in the cluster."""
        existing = urns(resources, taken)
        root = f"urn:pulumi:{self._name}::{project}::{STACK}::{project}-{self._name}"
        with self._run("stack import"):
            exported = self._stack.export_stack()
            state = dict(exported.deployment or {})
            state["resources"] = merge(state.get("resources") or [], resources, existing, root)
            self._stack.import_stack(auto.Deployment(version=exported.version, deployment=state))
        with self._run("refresh"):
            self._stack.refresh(on_output=_ignore, color="never")

    def preview(self) -> dict[str, list[str]]:
        """List what `pulumi up` would do, by object, and the fields that change.

        Raises:
            OperationError: it would delete or replace something, or cannot say.
        """
        steps: list[auto.StepEventMetadata] = []
        said: list[str] = []

        def listen(event: auto.EngineEvent) -> None:
            if event.resource_pre_event:
                steps.append(event.resource_pre_event.metadata)
            _hear(event, said)

        with self._run("preview", said):
            self._stack.preview(on_event=listen, on_output=_ignore)
        harmful = [f"{step.op.value} {_spelled(step.urn)}" for step in steps if step.op not in HARMLESS]
        if harmful:
            raise OperationError(
                f"pulumi up would {', '.join(harmful)}; nothing was changed in the cluster",
                mend=f"pulumi preview --diff --stack {self._name}",
            )
        changes = [step for step in steps if step.op in (auto.OpType.CREATE, auto.OpType.UPDATE)]
        return {
            f"{step.op.value} {_spelled(step.urn)}": sorted(step.detailed_diff or ())
            for step in changes
            if step.type != STACK
        }

    def up(self, *, but: Sequence[str] = ()) -> None:
        """Let Pulumi bring everything to what the stack file says, but for the resources of some URNs.

        Raises:
            OperationError: it failed; what was there serves on.
        """
        said: list[str] = []

        def listen(event: auto.EngineEvent) -> None:
            if event.resource_pre_event and event.resource_pre_event.metadata.op != auto.OpType.SAME:
                metadata = event.resource_pre_event.metadata
                self.tell(f"{metadata.op.value} {_spelled(metadata.urn)}")
            _hear(event, said)

        with self._run("up", said):
            self._stack.up(exclude=list(but) or None, on_event=listen, on_output=_ignore)

    @contextmanager
    def _run(self, verb: str, said: list[str] | None = None) -> Iterator[None]:
        try:
            yield
        except auto.ConcurrentUpdateError as error:
            raise OperationError(
                f"stack {self._name} is locked: another update runs, or one was killed; what serves goes on",
                mend=f"wait for it, or if none runs: pulumi cancel --yes --stack {self._name}; "
                "then the same command again: it goes on from here",
            ) from error
        except auto.CommandError as error:
            lines = said or str(error).strip().splitlines()
            raise OperationError(
                f"`pulumi {verb}` failed for stack {self._name}; what served goes on serving",
                evidence="\n".join(lines[-LOG_LINES:]),
                mend="mend what it says, then the same command again: it goes on from here",
            ) from error


def urns(resources: Sequence[Resource], objects: Sequence[Manifest]) -> set[str]:
    """Name those resources that declare one of some objects."""
    return {
        each.urn
        for each in resources
        if is_applied(each) and any(same_object(dict(each.inputs), other) for other in objects)
    }


def _spelled(urn: str) -> str:
    kind, name = urn.split("::")[2:4]
    return f"{kind.rpartition(':')[2]} {name}"


def _hear(event: auto.EngineEvent, said: list[str]) -> None:
    if event.diagnostic_event and event.diagnostic_event.severity == "error":
        said.extend(line for line in event.diagnostic_event.message.splitlines() if line.strip())


def _ignore(_: str) -> None:
    """Pulumi's own display: what matters of it comes as events."""
