"""The outcomes of a canary, and the exceptions that lead to them.

CanaryEnded
├── RollbackRequested   the new version loses its traffic
└── HaltRequested       the weights stay as they are
PromotionRequested      the new version gets all the traffic
"""

from enum import Enum
from typing import Final

UNEXPECTED: Final = (Exception, SystemExit, KeyboardInterrupt)
"""What a call can raise unexpectedly: rich raises a SystemExit for a closed pipe."""


class Outcome(Enum):
    """How a canary ended. The value is the exit code of the command."""

    promoted = 0
    """The new version has all the traffic."""
    failed = 1
    """An error; the summary has the present weights."""
    rolled_back = 3
    """A check, a hook, an update or the pods failed: the old version has its traffic back."""
    aborted = 4
    """Rolled back on request."""
    held = 5
    """Stopped with the weights as they are; `--resume` continues."""
    no_data = 6
    """Stopped in the same way, because there was no data."""

    @property
    def is_over(self) -> bool:
        """Whether the canary cannot be resumed."""
        return self in {Outcome.promoted, Outcome.rolled_back, Outcome.aborted}

    def __str__(self) -> str:
        """Write it as words."""
        return self.name.replace("_", " ")


class CanaryEnded(Exception):
    """The steps end here."""

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.why = why


class RollbackRequested(CanaryEnded):
    """The new version has to lose its traffic."""


class HaltRequested(CanaryEnded):
    """The canary stops with the weights as they are."""


class PromotionRequested(Exception):
    """The new version has to get all the traffic now."""
