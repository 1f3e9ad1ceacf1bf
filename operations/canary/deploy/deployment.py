"""`pulumi up` of the ordinary project, through the Automation API."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from operations.canary.deploy.pulumi_process import PulumiProcess
from operations.drift.ahead import Ahead
from operations.drift.findings import Report
from operations.errors import OperationError
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.recorder import STACK
from operations.pulumi_stack.stack import Change, PulumiStack, ReportLine
from operations.warm.host import Hosts

LOCK_SECONDS = 300.0
"""How long to wait for another update to end."""


class UpdateFailed(OperationError):
    """An update of the stack did not go through."""


class Deployment:
    """The stack of the project folder, with its own config."""

    def __init__(self, folder: Path, stack: str, report_line: ReportLine) -> None:
        project = Project.at(folder)
        self._hosts, self._checks = Hosts(project), Ahead(project, stack)
        self._command = PulumiProcess(self._hosts)
        self._updates = PulumiStack(folder, stack, report_line, wait=LOCK_SECONDS, command=self._command)

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

    def up(
        self,
        message: str,
        *,
        refresh: bool,
        tick: Callable[[], None] | None = None,
        config: Path | None = None,
    ) -> None:
        """Bring everything to what the stack file says; the message stands in the stack's history.

        Args:
            message: the update's.
            refresh: look at what is really there first.
            tick: called now and then meanwhile; what it raises ends the update.
            config: a file in the place of the stack file.

        Raises:
            UpdateFailed: it failed.
        """
        try:
            with self._command.meanwhile(tick):
                self._updates.up(message=message, refresh=refresh, config=config)
        except OperationError as error:
            raise UpdateFailed(error.what, evidence=error.evidence, fix=error.fix) from error

    def changes(self) -> Sequence[Change]:
        """List what `pulumi up` would change: Pulumi's own preview."""
        return [each for each in self._updates.preview() if each.type != STACK]

    def weights(self) -> Mapping[str, Any]:
        """Read the output `weights`: what the last update gave every version."""
        found = self._updates.outputs().get("weights")
        return found.value if found and isinstance(found.value, dict) else {}
