"""Whether an update of a stack runs, on every backend, asked without changing anything."""

from collections.abc import Sequence

from pulumi import automation as auto

from operations.errors import OperationError
from operations.pulumi_stack import locks
from operations.recovery.backend import FileBackend

HTTP = ("https://", "http://")
"""How the addresses of Pulumi Cloud begin, wherever it is hosted."""


def lock_holders(workspace: auto.LocalWorkspace, project: str, stack: str) -> Sequence[locks.Holder]:
    """List who holds the lock of a stack that exists; nobody, where no update runs.

    Raises:
        StackLocked: an update runs, and the backend does not tell whose.
        OperationError: the backend does not answer.
    """
    url = workspace.who_am_i().url
    if files := FileBackend.of(url, project, stack):
        return files.holders()
    try:
        return _of_cloud(workspace, stack) if (url or "").startswith(HTTP) else _of_bucket(workspace, stack)
    except auto.CommandError as error:
        raise OperationError(
            f"it cannot be found out whether an update of stack {stack} runs; nothing was changed",
            evidence=str(error).strip(),
            fix="pulumi whoami --verbose, and see that the backend answers; then the same command again",
        ) from error


def _of_cloud(workspace: auto.LocalWorkspace, stack: str) -> Sequence[locks.Holder]:
    """Pulumi Cloud lists for each stack whether it is updated now, and nothing of whom."""
    name = stack.rpartition("/")[2]
    found = (each for each in workspace.list_stacks() if each.name.rpartition("/")[2] == name)
    if any(each.update_in_progress for each in found):
        raise locks.locked(stack, ())
    return ()


def _of_bucket(workspace: auto.LocalWorkspace, stack: str) -> Sequence[locks.Holder]:
    """Want to make the stack, which exists: Pulumi looks at the locks first, and then refuses.

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
