"""Settings → the spec of a PodDisruptionBudget. Pure: no Pulumi, no cluster."""

from components.manifests.labels import selector
from components.manifests.route_match import Spec
from components.model.scaling import DisruptionBudget
from components.model.service import App
from components.schema.decode import encode


def pod_disruption_budget(app: App, version: str, budget: DisruptionBudget) -> Spec:
    """Return the budget that limits how many pods of a version a drain of nodes evicts at once."""
    return {"selector": {"matchLabels": selector(app, version)}, **encode(budget)}
