"""The ways in which a stack file, or what the cluster has already, stops the program."""

from collections.abc import Sequence

import pulumi

from components.schema.issues import Issue


class ConfigError(pulumi.RunError):
    """All faults of a stack file in one message. Pulumi prints a RunError without a stack trace."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        count = "1 fault" if len(self.issues) == 1 else f"{len(self.issues)} faults"
        head = f"the stack's configuration has {count}; nothing was changed"
        super().__init__("\n\n".join([head, *map(str, self.issues)]))


class OwnershipError(pulumi.RunError):
    """An object that is not created, since another owner has it. Of several, the first reports all."""

    def __init__(self, wanted: str, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        reason = "nothing was changed" if issues else "the error of another object gives the reason"
        head = f"{wanted} is not created: {reason}"
        super().__init__("\n\n".join([head, *map(str, self.issues)]))
