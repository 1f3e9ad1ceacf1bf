"""Runs `pulumi up` of the lab's own stacks, and shows the progress."""

import secrets
import shlex
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from pulumi import automation as auto

from lab.errors import LOG_LINES, LabError
from lab.node.pki import write_private
from lab.places import Places
from lab.progress import Progress, Step
from operations.errors import OperationError
from operations.recovery import orphan_processes
from operations.recovery.backend import FileBackend

PLATFORM = "lab"
"""The stack of `mesh-platform/` with Istio, which `make up` brings."""
METRICS = "metrics"
"""The stack of `mesh-platform/` with Prometheus."""
OBSERVE = "observe"
"""The stack of `mesh-platform/` with Kiali, Jaeger and tracing."""
DEV = "dev"
"""The stack of the program: the walkthrough."""


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """Runs Pulumi with the settings of `.lab/env`."""

    places: Places
    progress: Progress

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables for Pulumi and kubectl; a secret is in a file, and only its path is here."""
        pulumi = self.places.pulumi
        return {
            "KUBECONFIG": str(self.places.kubeconfig),
            "PULUMI_BACKEND_URL": f"file://{pulumi / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.places.passphrase),
            "PULUMI_HOME": str(pulumi / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def prepare(self) -> None:
        """Create the backend and its passphrase, and write `.lab/env`."""
        pulumi = self.places.pulumi
        for folder in (pulumi / "backend", pulumi / "home"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        if not self.places.passphrase.exists():
            write_private(self.places.passphrase, secrets.token_urlsafe(32).encode())
        end_orphans(self.places)
        _remove_stale_locks(pulumi / "backend/.pulumi")
        path = f"{self.places.binaries}:{self.places.checkout / '.venv/bin'}"
        lines = ["# Source this to work on the lab as on any cluster: pulumi, kubectl, istioctl."]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in self.variables.items()]
        # Pulumi prefers the variable to the file.
        lines += ["unset PULUMI_CONFIG_PASSPHRASE", f'export PATH={shlex.quote(path)}:"$PATH"', ""]
        write_private(self.places.environment, "\n".join(lines).encode())

    def up(self, name: str, folder: Path) -> dict[str, object]:
        """Run `pulumi up` of a stack and return its outputs. The stack file in `folder` is not changed.

        Raises:
            LabError: the update failed.
        """
        with self.progress.step(f"pulumi up --stack {name} in {folder.name}") as step:
            errors: list[str] = []
            try:
                stack_file = self._copied(name, folder)
                stack = self._select(name, folder, stack_file)
                _drop_pending(stack, stack_file, step)
                result = stack.up(
                    config_file=str(stack_file),
                    show_secrets=False,  # `pulumi stack history --show-secrets` writes into the stack file
                    on_event=lambda event: _show(event, step, errors),
                    on_output=lambda _: None,
                    color="never",
                )
            except auto.CommandError as error:
                raise LabError(
                    f"`pulumi up --stack {name}` failed in {folder}",
                    fix=f"source .lab/env, then in that folder: pulumi up --stack {name}",
                    evidence="\n".join((errors or str(error).splitlines())[-LOG_LINES:]),
                ) from error
            changes = result.summary.resource_changes or {}
            # `read`: objects of others, which the stack does not change.
            changed = ", ".join(
                f"{count} {kind}" for kind, count in changes.items() if kind not in {"same", "read"}
            )
            step.describe(changed or "no change")
        return {key: output.value for key, output in result.outputs.items()}

    def _copied(self, name: str, folder: Path) -> Path:
        """Copy the stack file into `.lab`, because Pulumi adds `encryptionsalt` to the one that it uses."""
        copy = self.places.stack_files / folder.name
        copy.mkdir(parents=True, exist_ok=True)
        for file in ("Pulumi.yaml", f"Pulumi.{name}.yaml"):
            shutil.copyfile(folder / file, copy / file)
        return copy / f"Pulumi.{name}.yaml"

    def _select(self, name: str, folder: Path, stack_file: Path) -> auto.Stack:
        options = auto.LocalWorkspaceOptions(env_vars=self.variables, secrets_provider="passphrase")
        try:
            return auto.select_stack(stack_name=name, work_dir=str(folder), opts=options)
        except auto.StackNotFoundError:
            # `pulumi stack init` has no option for another stack file.
            auto.create_stack(stack_name=name, work_dir=str(stack_file.parent), opts=options)
            return auto.select_stack(stack_name=name, work_dir=str(folder), opts=options)


def _drop_pending(stack: auto.Stack, stack_file: Path, step: Step) -> None:
    """Drop the pending operations of an update that was killed: `pulumi up` would keep them.

    The objects that it created are in the cluster, with the label of their stack.
    """
    if (stack.export_stack().deployment or {}).get("pending_operations"):
        step.describe("pulumi refresh, because an update was interrupted")
        stack.refresh(
            clear_pending_creates=True,
            config_file=str(stack_file),
            show_secrets=False,
            on_output=lambda _: None,
            color="never",
        )


def _remove_stale_locks(root: Path) -> None:
    """Remove the locks of stacks whose every holder has ended; Pulumi reports those that it cannot read."""
    for folder in (root / "locks/organization").glob("*/*"):
        notes = list(folder.glob("*.json"))
        with suppress(OperationError):
            holders = FileBackend(root=root, project=folder.parent.name, stack=folder.name).holders()
            if all(each.ended for each in holders):
                for note in notes:  # listed before: a new lock stays
                    note.unlink(missing_ok=True)


def end_orphans(places: Places) -> None:
    """End the lab's own providers whose pulumi was killed: they never end by themselves."""
    orphans = orphan_processes.orphans(Path("/"))
    orphan_processes.end([each for each in orphans if _executable(each).is_relative_to(places.cache)])


def _executable(process: psutil.Process) -> Path:
    try:
        return Path(process.exe())
    except psutil.Error:
        return Path()


def _show(event: auto.EngineEvent, step: Step, errors: list[str]) -> None:
    """Show the resource that is being changed, and collect the error messages."""
    if event.resource_pre_event and event.resource_pre_event.metadata.op != auto.OpType.SAME:
        metadata = event.resource_pre_event.metadata
        step.describe(f"{metadata.op.value} {metadata.urn.rsplit('::', 1)[-1]}")
    if event.diagnostic_event and event.diagnostic_event.severity == "error":
        errors.extend(line for line in event.diagnostic_event.message.splitlines() if line.strip())
