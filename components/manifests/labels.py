"""Labels and annotations that the objects of a stack carry. Pure: no Pulumi, no cluster."""

from typing import Final

from components.model.service import App

OURS: Final = {"app.kubernetes.io/managed-by": "pulumi"}
"""The label of all that the program makes."""

OWNED: Final = {"pulumi.com/patchForce": "true"}
"""The stack owns its objects whole: what a hand changes is drift, not a conflict (K#2542)."""


def labels(app: App, version: str | None = None) -> dict[str, str]:
    """The labels of all that belongs to the app. Only `app` and `version` ever select anything.

    There is no `app.kubernetes.io/version`: Istio would take it, not `version`, for the canonical revision.
    """
    own = {"app": app.name} if version is None else selector(app, version)
    return {**own, "app.kubernetes.io/name": app.name, **OURS}


def selector(app: App, version: str) -> dict[str, str]:
    """The labels that tell a version's pods from all others. Changing them would replace the Deployment."""
    return {"app": app.name, "version": version}
