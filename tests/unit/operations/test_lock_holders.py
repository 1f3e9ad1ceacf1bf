"""Whether an update runs is found out on every backend, and nothing is written for it."""

from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto
from pulumi.automation._cmd import CommandResult

from operations.errors import OperationError
from operations.pulumi_stack.lock_holders import lock_holders
from operations.pulumi_stack.locks import StackLocked
from tests.unit.operations.test_locks import SAID


class Workspace:
    """Pulumi at some backend; to export or import a state would be a mistake."""

    work_dir = "."
    env_vars: dict[str, str] = {}  # noqa: RUF012 (as the library has it)

    def __init__(self, url: str, *, description: str = "", updating: bool = False) -> None:
        self._url, self._says, self._updating = url, description, updating
        self.pulumi_command = self
        self.ran: list[list[str]] = []

    def who_am_i(self) -> Any:  # noqa: ANN401
        """Name the backend."""
        return SimpleNamespace(url=self._url)

    def list_stacks(self) -> list[Any]:
        """List those of an organization."""
        others = SimpleNamespace(name="acme/prod", update_in_progress=True)
        return [others, SimpleNamespace(name="acme/dev", update_in_progress=self._updating)]

    def run(self, words: list[str], **_: object) -> None:
        """Fail as Pulumi does."""
        self.ran.append(words)
        result = CommandResult(stdout="", stderr=self._says, code=255)
        for text, kind in (
            ("currently locked", auto.ConcurrentUpdateError),
            ("already exists", auto.StackAlreadyExistsError),
        ):
            if text in self._says:
                raise kind(result)
        raise auto.CommandError(result)


def asked(workspace: Workspace) -> list[str]:
    return [str(each.pid) for each in lock_holders(workspace, "mesh-app", "dev")]  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["s3://states", "gs://states", "azblob://states"])
def test_of_a_bucket_the_locks_notes_are_read(url: str) -> None:
    """By the one command that wants the lock and then refuses to do anything."""
    locked = Workspace(
        url, description=SAID.format(user="ann", host="build-7", pid=12, since="2026-11-23T22:10:00Z")
    )
    assert asked(locked) == ["12"]
    free = Workspace(url, description="error: stack 'dev' already exists")
    assert asked(free) == []
    assert free.ran == [["stack", "init", "dev", "--no-select", "--non-interactive"]]


def test_pulumi_cloud_lists_updates() -> None:
    """Not those of other stacks."""
    assert asked(Workspace("https://app.pulumi.com/ann")) == []
    with pytest.raises(StackLocked, match="another update of it is running"):
        asked(Workspace("https://app.pulumi.com/ann", updating=True))


def test_a_backend_that_does_not_answer_is_no_free_lock() -> None:
    """Nothing is done then."""
    with pytest.raises(OperationError, match="cannot find out"):
        asked(Workspace("s3://states", description="error: NoCredentialProviders"))
