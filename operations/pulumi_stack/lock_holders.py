"""Find out whether an update of a stack is running, on every backend, without changing anything."""

from collections.abc import Sequence

from pulumi import automation as auto

from operations.errors import OperationError
from operations.pulumi_stack import locks
from operations.recovery.backend import FileBackend

HTTP = ("https://", "http://")
"""Schemes of the addresses of Pulumi Cloud, also where it is self-hosted."""


def lock_holders(workspace: auto.LocalWorkspace, project: str, stack: str) -> Sequence[locks.Holder]:
    """List the holders of the lock of an existing stack; none if no update is running.

    Raises:
        StackLocked: an update is running, and the backend does not report its user.
        OperationError: the backend did not answer.
    """
    url = workspace.who_am_i().url
    if files := FileBackend.of(url, project, stack):
        return files.holders()
    try:
        return _of_cloud(workspace, stack) if (url or "").startswith(HTTP) else _of_bucket(workspace, stack)
    except auto.CommandError as error:
        raise OperationError(
            f"cannot find out whether an update of stack {stack} is running; nothing was changed",
            evidence=str(error).strip(),
            fix="check that the backend answers: pulumi whoami --verbose; then run the command again",
        ) from error


def _of_cloud(workspace: auto.LocalWorkspace, stack: str) -> Sequence[locks.Holder]:
    """Ask Pulumi Cloud, which lists for each stack whether an update is running, but not its user."""
    name = stack.rpartition("/")[2]
    found = (each for each in workspace.list_stacks() if each.name.rpartition("/")[2] == name)
    if any(each.update_in_progress for each in found):
        raise locks.locked(stack, ())
    return ()


def _of_bucket(workspace: auto.LocalWorkspace, stack: str) -> Sequence[locks.Holder]:
    """Try to create the stack, which exists: Pulumi checks the locks before it refuses.

    Read from Pulumi 3.246, pkg/backend/diy, CreateStack. Nothing of the state is read or written.
    """
    words = ["stack", "init", stack, "--no-select", "--non-interactive"]
    environment = dict(workspace.env_vars)
    try:
        workspace.pulumi_command.run(words, cwd=workspace.work_dir, additional_env=environment)
    except auto.ConcurrentUpdateError as error:
        if found := locks.holders(error):
            return found
        raise locks.locked(stack, ()) from error
    except auto.StackAlreadyExistsError:
        return ()
    return ()
