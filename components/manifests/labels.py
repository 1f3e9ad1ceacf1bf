"""Labels and annotations of the stack's objects. Pure: no Pulumi, no cluster."""

from typing import Final

from components.model.service import App

OURS: Final = {"app.kubernetes.io/managed-by": "pulumi"}
"""The label of all objects that the program creates."""

OWNED: Final = {"pulumi.com/patchForce": "true"}
"""The stack owns its objects completely: manual changes are drift, not conflicts (pulumi-kubernetes#2542)."""


def labels(app: App, version: str | None = None) -> dict[str, str]:
    """Return the labels of an app's objects. Only `app` and `version` are used in selectors.

    There is no `app.kubernetes.io/version`: Istio would use it as the canonical revision instead of
    `version`.
    """
    own = {"app": app.name} if version is None else selector(app, version)
    return {**own, "app.kubernetes.io/name": app.name, **OURS}


def selector(app: App, version: str) -> dict[str, str]:
    """Return the labels that select a version's pods. Changing them would replace the Deployment."""
    return {"app": app.name, "version": version}
