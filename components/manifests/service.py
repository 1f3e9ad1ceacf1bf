"""Settings → the spec of a Service. Pure: no Pulumi, no cluster."""

from typing import Final

from components.manifests.labels import selector
from components.manifests.route_match import Spec
from components.model.service import Service

UNAWAITED: Final = {"pulumi.com/skipAwait": "true"}
"""Do not wait for the endpoints of a Service: the Deployments wait for their pods.

While the pods of one version crash, the provider would wait up to ten minutes in every update, including the
one that rolls that version back.
"""


def service_spec(of: Service, version: str | None = None) -> Spec:
    """Return a Service for the pods of all versions, or of one version, for an HTTPRoute."""
    chosen = {"app": of.app.name} if version is None else selector(of.app, version)
    port = {
        "name": "http",
        "appProtocol": "http",
        "port": of.app.port,
        "targetPort": "http",
        "protocol": "TCP",
    }
    return {"type": "ClusterIP", "selector": chosen, "ports": [port]}
