"""The exceptions of operations.

    Exception
    ├── OperationError                  printed with its fix; the command exits with 1
    │   ├── StackLocked                 another update of the stack is running
    │   ├── UpdateFailed                `pulumi up` of a canary failed
    │   └── MetricsError                a metric could not be read
    │       ├── PrometheusUnreachable   no answer; may be temporary
    │       ├── WrongPrometheusAddress  no such host or Service, or no Prometheus
    │       ├── QueryRejected           the query or the access was refused
    │       ├── NoData                  no sample: nothing was measured
    │       └── InvalidSample           the answer is not a single valid number
    ├── CanaryEnded                     ends the steps of a canary
    │   ├── RollbackRequested           the old version gets all traffic
    │   └── HaltRequested               the weights stay as they are
    ├── PromotionRequested              the new version gets all traffic now
    └── UneditableStackFile             a stack file that the canary cannot change (a ValueError)

The program's own exceptions are in `components.settings.errors`.
"""

from functools import partial
from typing import Any


class OperationError(Exception):
    """An operation could not be done.

    Args:
        what: the key or object, its value, and the rule that it violates.
        fix: the command to run next, or what to change.
        evidence: the output of Pulumi or the API server, if any.
    """

    def __init__(self, what: str, *, fix: str, evidence: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.evidence = evidence

    def __str__(self) -> str:
        """Return the error, the evidence and the fix, on lines of their own."""
        lines = [self.what, *(f"  | {line}" for line in self.evidence.splitlines())]
        return "\n".join([*lines, f"  fix: {self.fix}"])

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep all parts when another process raises it."""
        return partial(type(self), fix=self.fix, evidence=self.evidence), (self.what,)
