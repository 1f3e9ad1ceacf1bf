"""The hooks that a program binds to its resources, and whether anybody calls them."""

import pulumi
from pulumi.runtime.settings import get_monitor


def is_outside_engine() -> bool:
    """Tell whether Pulumi's mocks run the program: they say that they know hooks, and fail on the first."""
    return not hasattr(get_monitor(), "RegisterResourceHook")


class SharedHooks:
    """One hook of each kind for all services of a stack, with a function for each resource.

    A hook is a message to the engine: one for every resource would cost half as much as the resource.
    """

    def __init__(self) -> None:
        self._functions: dict[tuple[str, str], pulumi.ResourceHookFunction] = {}
        self._error_functions: dict[tuple[str, str], pulumi.ErrorHookFunction] = {}
        self._hooks: dict[str, pulumi.ResourceHook] = {}
        self._error_hooks: dict[str, pulumi.ErrorHook] = {}

    def of(
        self,
        kind: str,
        resource: str,
        function: pulumi.ResourceHookFunction,
        *,
        on_dry_run: bool = False,
    ) -> pulumi.ResourceHook:
        """Bind a function to the hook of this kind on the resource of this name; in previews too if asked."""
        self._functions[kind, resource] = function
        if kind not in self._hooks:
            self._hooks[kind] = pulumi.ResourceHook(
                kind,
                lambda args: self._functions[kind, args.name](args),
                pulumi.ResourceHookOptions(on_dry_run=on_dry_run),
            )
        return self._hooks[kind]

    def on_error(self, kind: str, resource: str, function: pulumi.ErrorHookFunction) -> pulumi.ErrorHook:
        """Bind a function that says whether the engine tries again what has failed."""
        self._error_functions[kind, resource] = function
        if kind not in self._error_hooks:
            self._error_hooks[kind] = pulumi.ErrorHook(
                kind, lambda args: self._error_functions[kind, args.name](args)
            )
        return self._error_hooks[kind]


def before_delete(
    name: str, function: pulumi.ResourceHookFunction, *, on_dry_run: bool = False
) -> pulumi.ResourceHookBinding | None:
    """Let the engine call a function before it deletes a resource.

    The name stands in the state. While it does, Pulumi destroys nothing of the stack without its program, and
    every program of the stack has to register it: also one that binds it to nothing any more.
    """
    if is_outside_engine():
        return None
    hook = pulumi.ResourceHook(name, function, pulumi.ResourceHookOptions(on_dry_run=on_dry_run))
    return pulumi.ResourceHookBinding(before_delete=[hook])
