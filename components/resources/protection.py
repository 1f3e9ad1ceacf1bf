"""Protection: what is not deleted without a word of its own.

Pulumi's `protect` refuses a deletion and names a command that no stack file remembers. The hook before it
says the key. It also keeps a `pulumi destroy` without the program from beginning at all.
"""

from typing import Final

import pulumi

from components.model.service import Service
from components.model.stack import Stack
from components.rollout.hooks import before_delete
from components.schema.issues import Path, assign

ALL: Final = 100
"""Percent: no other version of the service serves."""

KEY: Final = Path() / "protected"


class ProtectedFromDeletion(pulumi.RunError):
    """A deletion that the stack file forbids."""


class Protection:
    """The options of resources that stay, where the stack file says so."""

    def __init__(self, args: Stack) -> None:
        self._hooks = before_delete(str(KEY), _refuse, on_dry_run=True)
        self._holds = args.protected

    def of(self, *, serves: bool = True) -> pulumi.ResourceOptions:
        """Protect a resource if it serves. A change of this alone changes no object: law 1."""
        if not (self._holds and serves):
            return pulumi.ResourceOptions()
        return pulumi.ResourceOptions(protect=True, hooks=self._hooks)

    def of_version(self, service: Service, version: str) -> pulumi.ResourceOptions:
        """Protect a resource of the version that alone has the weight. Of two, either may go."""
        return self.of(serves=service.split[version] == ALL)


def _refuse(args: pulumi.ResourceHookArgs) -> None:
    kind = args.type.rpartition(":")[2]
    raise ProtectedFromDeletion(
        f"{kind} {args.name} serves, and {KEY} keeps it from being deleted. A version may go once another "
        f"has its weight, by a `pulumi up` before. To delete it after all: {assign(KEY, value=False)}, then "
        "`pulumi up` with nothing else changed, then the same again"
    )
