"""Registers resource hooks with the engine, one of each kind for the whole stack."""

import pulumi
from pulumi.runtime.settings import get_monitor


def is_outside_engine() -> bool:
    """Return whether Pulumi's mocks run the program: they claim to support hooks, and fail on the first."""
    return not hasattr(get_monitor(), "RegisterResourceHook")


class SharedHooks:
    """One hook of each kind for all services of a stack, with a function for each resource.

    Registering a hook is a request to the engine, which takes half as long as registering a resource.
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
        """Return the hook of this kind, which calls the function for the resource of this name.

        Args:
            kind: the name of the hook.
            resource: the name of the resource.
            function: the function to call.
            on_dry_run: whether to call it in previews too.
        """
        self._functions[kind, resource] = function
        if kind not in self._hooks:
            self._hooks[kind] = pulumi.ResourceHook(
                kind,
                lambda args: self._functions[kind, args.name](args),
                pulumi.ResourceHookOptions(on_dry_run=on_dry_run),
            )
        return self._hooks[kind]

    def on_error(self, kind: str, resource: str, function: pulumi.ErrorHookFunction) -> pulumi.ErrorHook:
        """Return the error hook of this kind; the function decides whether the engine tries again."""
        self._error_functions[kind, resource] = function
        if kind not in self._error_hooks:
            self._error_hooks[kind] = pulumi.ErrorHook(
                kind, lambda args: self._error_functions[kind, args.name](args)
            )
        return self._error_hooks[kind]


def before_delete(
    name: str, function: pulumi.ResourceHookFunction, *, on_dry_run: bool = False
) -> pulumi.ResourceHookBinding | None:
    """Register a hook that the engine calls before it deletes a resource.

    The hook's name is stored in the state. While it is there, `pulumi destroy` needs the program, and every
    program of the stack must register the hook, even if it no longer binds it.
    """
    if is_outside_engine():
        return None
    hook = pulumi.ResourceHook(name, function, pulumi.ResourceHookOptions(on_dry_run=on_dry_run))
    return pulumi.ResourceHookBinding(before_delete=[hook])
