"""`pulumi up` of the ordinary project, through the Automation API."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi.automation.errors import create_command_error

from operations.drift.ahead import Ahead
from operations.drift.findings import Report
from operations.errors import OperationError
from operations.project import Project
from operations.recording import STACK
from operations.updates import Change, Tell, Updates
from operations.warm.host import Hosts

LOCK_SECONDS = 300.0
"""How long to wait for another update to end."""


class UpError(OperationError):
    """An update of the stack did not go through."""


class OwnSession(auto.PulumiCommand):
    """Runs pulumi where the terminal's Ctrl-C does not reach it: an update is never cut in two by that.

    Args:
        hosts: the language hosts of its updates.
    """

    def __init__(self, hosts: Hosts) -> None:
        super().__init__()
        self._hosts = hosts

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: auto.OnOutput | None = None,
        on_error: auto.OnOutput | None = None,
    ) -> auto.CommandResult:
        """Run one command to its end."""
        # A step that failed is tried again with a refresh, and without what may have been to blame.
        ready = self._hosts.take() if args[0] == "up" and "--refresh" not in args else None
        host, flags = (ready[0], [f"--client={ready[1]}"]) if ready else (None, [])
        try:
            done = subprocess.run(
                [self.command, "--non-interactive", *args, *flags],
                cwd=cwd,
                env={**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                start_new_session=True,
                check=False,
            )
        finally:
            if host:
                host.end()
        for tell, said in ((on_output, done.stdout), (on_error, done.stderr)):
            if tell is not None:
                for line in said.splitlines():
                    tell(line)
        result = auto.CommandResult(stdout=done.stdout, stderr=done.stderr, code=done.returncode)
        if done.returncode:
            raise create_command_error(result)
        return result


class Deployment:
    """The stack of the project folder, with its own config."""

    def __init__(self, folder: Path, stack: str, tell: Tell) -> None:
        project = Project.at(folder)
        self._hosts, self._checks = Hosts(project), Ahead(project, stack)
        command = OwnSession(self._hosts)
        self._updates = Updates(folder, stack, tell, wait=LOCK_SECONDS, command=command)

    def prepare(self) -> None:
        """Do beforehand, beside whatever goes on, what the next update and the check before it can spare."""
        self._hosts.prepare()
        self._checks.prepare()

    def check(self) -> Report:
        """Compare every object of the stack, whole, with what its stack file declares now.

        Raises:
            OperationError: something could not be read.
        """
        return self._checks.check()

    @property
    def backend(self) -> str:
        """Where the stack's state is kept, and whose it is."""
        who = self._updates.run("whoami", self._updates.stack.workspace.who_am_i)
        return f"{who.user}@{who.url}"

    def up(self, message: str, *, refresh: bool) -> None:
        """Bring everything to what the stack file says; the message stands in the stack's history.

        Raises:
            UpError: it failed.
        """
        try:
            self._updates.up(message=message, refresh=refresh)
        except OperationError as error:
            raise UpError(error.what, evidence=error.evidence, mend=error.mend) from error

    def changes(self) -> Sequence[Change]:
        """List what `pulumi up` would change: Pulumi's own preview."""
        return [each for each in self._updates.preview() if each.type != STACK]

    def weights(self) -> Mapping[str, Any]:
        """Read the output `weights`: what the last update gave every version."""
        found = self._updates.outputs().get("weights")
        return found.value if found and isinstance(found.value, dict) else {}
