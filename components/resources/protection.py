"""Protection: refuses to delete resources that receive traffic.

Pulumi's `protect` refuses a deletion, but suggests a command that the stack file does not record. The hook
before it names the key. It also prevents a `pulumi destroy` without the program.
"""

from typing import Final

import pulumi

from components.model.service import Service
from components.model.stack import Stack
from components.rollout.hooks import before_delete
from components.schema.issues import Path, assign

ALL: Final = 100
"""The weight, in percent, of a version that alone receives traffic."""

KEY: Final = Path() / "protected"


class ProtectedFromDeletion(pulumi.RunError):
    """The stack file forbids a deletion."""


class Protection:
    """The resource options for `protected`."""

    def __init__(self, args: Stack) -> None:
        self._hooks = before_delete(str(KEY), _refuse, on_dry_run=True)
        self._holds = args.protected

    def of(self, *, serves: bool = True) -> pulumi.ResourceOptions:
        """Protect a resource if it receives traffic. A change of this alone changes no object."""
        if not (self._holds and serves):
            return pulumi.ResourceOptions()
        return pulumi.ResourceOptions(protect=True, hooks=self._hooks)

    def of_version(self, service: Service, version: str) -> pulumi.ResourceOptions:
        """Protect a resource of a version that alone has weight. With two such versions none is protected."""
        return self.of(serves=service.split[version] == ALL)


def _refuse(args: pulumi.ResourceHookArgs) -> None:
    kind = args.type.rpartition(":")[2]
    raise ProtectedFromDeletion(
        f"{kind} {args.name} receives traffic and is protected from deletion ({KEY}). To delete a version, "
        "first give its weight to another with `pulumi up`. To delete it now: "
        f"{assign(KEY, value=False)}, then `pulumi up` without other changes, then this command again"
    )
