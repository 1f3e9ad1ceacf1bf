"""The errors that configuration raises, and the tree of all exceptions of `components`.

A `pulumi.RunError` stops the program; Pulumi prints its message without a stack trace.

    pulumi.RunError
    ├── settings.errors.ConfigError                  the stack file is invalid; it holds every issue
    ├── settings.errors.OwnershipError               an object to be created belongs to another owner
    ├── resources.protection.ProtectedFromDeletion   `protected` forbids the deletion
    └── rollout.proxy_status.HandoverError           the update stops before requests would be lost
    Exception
    ├── schema.invalid.InvalidValueError                     a rule read a value that failed to decode
    ├── manifests.match_intersection.DisjointConditions      no request meets both conditions
    ├── manifests.match_intersection.InseparableConditions   both conditions cannot be one match
    ├── rollout.kubectl.KubectlError                         kubectl failed
    │   ├── rollout.kubectl.ApiServerUnreachable             it could not reach the API server
    │   └── rollout.kubectl.KubectlTimeout                   it did not finish in time
    ├── rollout.port_forward.PortForwardFailed               kubectl could not forward a port to istiod
    ├── rollout.istiod.IstiodUnavailable                     istiod cannot be queried
    ├── rollout.proxy_sync.ProxySyncTimeout                  proxies have not acknowledged in time
    └── rollout.rollout_status.DeploymentDeleted             the Deployment does not exist
    ValueError
    └── schema.regex.InvalidRegexError                       Go or RE2 refuses a regular expression
"""

from collections.abc import Sequence

import pulumi

from components.schema.issues import Issue


class ConfigError(pulumi.RunError):
    """All issues of a stack file, in one message."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        count = "1 error" if len(self.issues) == 1 else f"{len(self.issues)} errors"
        head = f"the stack's configuration has {count}; nothing was changed"
        super().__init__("\n\n".join([head, *map(str, self.issues)]))


class OwnershipError(pulumi.RunError):
    """An object is not created, since it belongs to another owner. The first such error holds all issues."""

    def __init__(self, wanted: str, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        reason = "nothing was changed" if issues else "the error of another object gives the reason"
        head = f"{wanted} is not created: {reason}"
        super().__init__("\n\n".join([head, *map(str, self.issues)]))
