"""The lab's own stacks: where their state is kept, and `pulumi up` of each with its progress shown."""

import json
import secrets
import shlex
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from pulumi import automation as auto

from lab.build.parts import PROVIDER
from lab.errors import LOG_LINES, LabError
from lab.node.pki import write_private
from lab.places import Places
from lab.progress import Progress, Step

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
    """Runs Pulumi for the lab exactly as a person does who has sourced `.lab/env`."""

    places: Places
    progress: Progress

    @property
    def variables(self) -> dict[str, str]:
        """What tells Pulumi and kubectl of the lab; a secret only by the name of its file."""
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
        """Make the backend and its passphrase, and write the file that a shell sources."""
        pulumi = self.places.pulumi
        for folder in (pulumi / "backend", pulumi / "home"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        if not self.places.passphrase.exists():
            write_private(self.places.passphrase, secrets.token_urlsafe(32).encode())
        end_orphans(self.places)
        for lock in (pulumi / "backend").glob(".pulumi/locks/**/*.json"):
            if not _held(lock):
                lock.unlink(missing_ok=True)
        path = f"{self.places.binaries}:{self.places.checkout / '.venv/bin'}"
        lines = ["# Source this to work on the lab as on any cluster: pulumi, kubectl, istioctl."]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in self.variables.items()]
        # A shell that had Pulumi's passphrase as a variable would have two answers to one question.
        lines += ["unset PULUMI_CONFIG_PASSPHRASE", f'export PATH={shlex.quote(path)}:"$PATH"', ""]
        write_private(self.places.environment, "\n".join(lines).encode())

    def up(self, name: str, folder: Path) -> dict[str, object]:
        """`pulumi up` of a stack; returns its outputs.

        Raises:
            LabError: the update failed; with what Pulumi said of the resources that did.
        """
        with self.progress.step(f"pulumi up --stack {name} in {folder.name}") as step:
            said: list[str] = []
            try:
                stack = self._select(name, folder)
                _forget_pending(stack, step)
                result = stack.up(
                    on_event=lambda event: _narrate(event, step, said),
                    on_output=lambda _: None,
                    color="never",
                )
            except auto.CommandError as error:
                raise LabError(
                    f"`pulumi up --stack {name}` failed in {folder}",
                    fix=f"source .lab/env, then in that folder: pulumi up --stack {name}",
                    evidence="\n".join((said or str(error).splitlines())[-LOG_LINES:]),
                ) from error
            changes = result.summary.resource_changes or {}
            # What is read belongs to others: that is no change of the stack.
            changed = ", ".join(
                f"{count} {kind}" for kind, count in changes.items() if kind not in {"same", "read"}
            )
            step.description(changed or "no change")
        return {key: output.value for key, output in result.outputs.items()}

    def _select(self, name: str, folder: Path) -> auto.Stack:
        return auto.create_or_select_stack(
            stack_name=name,
            work_dir=str(folder),
            opts=auto.LocalWorkspaceOptions(env_vars=self.variables, secrets_provider="passphrase"),
        )


def _forget_pending(stack: auto.Stack, step: Step) -> None:
    """Drop the operations that a killed update left open: Pulumi's own `up` keeps the notes.

    What that update did make is in the cluster, and carries the identity of its stack.
    """
    if (stack.export_stack().deployment or {}).get("pending_operations"):
        step.description("pulumi refresh, since an update was interrupted")
        stack.refresh(clear_pending_creates=True, on_output=lambda _: None, color="never")


def end_orphans(places: Places) -> None:
    """End the providers of the lab whose pulumi was killed: they wait for it forever."""
    for process in psutil.process_iter(["exe", "ppid"]):
        if not Path(process.info["exe"] or "/").is_relative_to(places.cache):
            continue
        if Path(process.info["exe"]).name == PROVIDER.binaries[0] and not _is_pulumi(process.info["ppid"]):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _held(lock: Path) -> bool:
    """Whether the pulumi that wrote a lock still runs; one that was killed never takes its lock away.

    A lock that cannot be read is being written, or was left half written: it counts as held as long as any
    pulumi runs on the machine.
    """
    try:
        return _is_pulumi(int(json.loads(lock.read_text())["pid"]))
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError):
        return any(map(_is_pulumi, psutil.pids()))


def _is_pulumi(pid: int) -> bool:
    """Whether a process is pulumi's, and alive: one that was killed keeps its name until it is reaped."""
    try:
        process = psutil.Process(pid)
        return process.name().startswith("pulumi") and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _narrate(event: auto.EngineEvent, step: Step, said: list[str]) -> None:
    """Show the resource in work, and keep what is said of failures."""
    if event.resource_pre_event and event.resource_pre_event.metadata.op != auto.OpType.SAME:
        metadata = event.resource_pre_event.metadata
        step.description(f"{metadata.op.value} {metadata.urn.rsplit('::', 1)[-1]}")
    if event.diagnostic_event and event.diagnostic_event.severity == "error":
        said.extend(line for line in event.diagnostic_event.message.splitlines() if line.strip())
