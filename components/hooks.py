"""Whether the engine is there to call the program's hooks."""

from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor


def nobody_calls() -> bool:
    """Tell whether Pulumi's mocks run the program: they say that they know hooks, and fail on the first."""
    return isinstance(get_monitor(), MockMonitor)
