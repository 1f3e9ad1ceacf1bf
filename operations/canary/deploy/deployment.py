"""Updates of the canary's stack: the same as `pulumi up` in the project's folder."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from operations.canary.deploy.pulumi_process import PulumiProcess
from operations.errors import OperationError
from operations.pulumi_stack.recorder import STACK
from operations.pulumi_stack.stack import Change, PulumiStack, ReportLine

LOCK_SECONDS: Final = 300.0
"""How long to wait for another update to end."""


class UpdateFailed(OperationError):
    """An update of the stack failed."""


class Deployment:
    """The stack of the project's folder, with the config of its stack file."""

    def __init__(self, folder: Path, stack: str, report_line: ReportLine) -> None:
        self._command = PulumiProcess()
        self._updates = PulumiStack(folder, stack, report_line, wait=LOCK_SECONDS, command=self._command)

    @property
    def backend(self) -> str:
        """The backend of the stack's state, and the user there."""
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
        """Deploy what the stack file declares.

        Args:
            message: text for the stack's history.
            refresh: read the live objects first.
            tick: called regularly meanwhile; an exception from it cancels the update.
            config: a file to read in place of the stack file.

        Raises:
            UpdateFailed: it failed.
        """
        try:
            with self._command.meanwhile(tick):
                self._updates.up(message=message, refresh=refresh, config=config)
        except OperationError as error:
            raise UpdateFailed(error.what, evidence=error.evidence, fix=error.fix) from error

    def changes(self) -> Sequence[Change]:
        """List what `pulumi up` would change, by Pulumi's preview."""
        return [each for each in self._updates.preview() if each.type != STACK]

    def weights(self) -> Mapping[str, Any]:
        """Read the output `weights`: the weight of each version since the last update."""
        found = self._updates.outputs().get("weights")
        return found.value if found and isinstance(found.value, dict) else {}
