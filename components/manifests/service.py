"""Settings → the spec of a Service. Pure: no Pulumi, no cluster."""

from typing import Final

from components.manifests.labels import selector
from components.manifests.route_match import Spec
from components.model.service import Service

UNAWAITED: Final = {"pulumi.com/skipAwait": "true"}
"""A Service is done when it is made: whether pods are ready is asked of the Deployments.

The provider would wait for its endpoints to stand still, up to ten minutes in every update while the pods of
one version crash: also in the update that takes that version back.
"""


def service_spec(of: Service, version: str | None = None) -> Spec:
    """One Service in front of all versions, which the subsets divide, or of one, for an HTTPRoute."""
    chosen = {"app": of.app.name} if version is None else selector(of.app, version)
    port = {
        "name": "http",
        "appProtocol": "http",
        "port": of.app.port,
        "targetPort": "http",
        "protocol": "TCP",
    }
    return {"type": "ClusterIP", "selector": chosen, "ports": [port]}
