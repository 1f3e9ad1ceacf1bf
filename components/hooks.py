"""The hooks that a program binds to its resources, and whether anybody calls them."""

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor


def nobody_calls() -> bool:
    """Tell whether Pulumi's mocks run the program: they say that they know hooks, and fail on the first."""
    return isinstance(get_monitor(), MockMonitor)


def before_delete(
    name: str, function: pulumi.ResourceHookFunction, *, on_dry_run: bool = False
) -> pulumi.ResourceHookBinding | None:
    """Let the engine call a function before it deletes a resource.

    The name stands in the state. While it does, Pulumi destroys nothing of the stack without its program, and
    every program of the stack has to register it: also one that binds it to nothing any more.
    """
    if nobody_calls():
        return None
    hook = pulumi.ResourceHook(name, function, pulumi.ResourceHookOptions(on_dry_run=on_dry_run))
    return pulumi.ResourceHookBinding(before_delete=[hook])
