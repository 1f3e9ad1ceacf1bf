"""How a canary ends, and what leads there."""

from enum import Enum


class Outcome(Enum):
    """How it ended. The value is the command's exit code."""

    promoted = 0
    """Everybody has the new version."""
    failed = 1
    """Something could not be done; the summary says where everything stands."""
    rolled_back = 3
    """The new version, or a hook, was not good: everybody is back."""
    aborted = 4
    """A person wanted everybody back, and everybody is."""
    held = 5
    """It stopped with the weights as they are; `--resume` goes on."""
    no_data = 6
    """The same, because there was nothing to judge by."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to go on with."""
        return self in {Outcome.promoted, Outcome.rolled_back, Outcome.aborted}

    def __str__(self) -> str:
        """Say it in two words."""
        return self.name.replace("_", " ")


class CanaryEnded(Exception):
    """Why the steps do not go on, with the figures."""

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.why = why


class RollbackRequested(CanaryEnded):
    """Everybody has to go back."""


class HaltRequested(CanaryEnded):
    """It stops with the weights as they are."""


class PromotionRequested(Exception):
    """A person wants everybody to have the new version now."""
