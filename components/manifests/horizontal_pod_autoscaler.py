"""Settings → the spec of a HorizontalPodAutoscaler. Pure: no Pulumi, no cluster."""

from components.manifests.route_match import Spec
from components.model.scaling import Autoscaling


def horizontal_pod_autoscaler(workload: str, container: str, scaling: Autoscaling) -> Spec:
    """Return an autoscaler by the CPU of the app's own container, without its sidecar."""
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
        "minReplicas": scaling.min,
        "maxReplicas": scaling.max,
        "metrics": [
            {
                "type": "ContainerResource",
                "containerResource": {
                    "name": "cpu",
                    "container": container,
                    "target": {"type": "Utilization", "averageUtilization": scaling.cpu},
                },
            }
        ],
    }
