"""Rules for the availability of workloads in production."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mesh_rules.objects import UNKNOWN, Object, Value, at, entries, may_equal, may_hold, of_kind
from mesh_rules.pods import pod
from mesh_rules.rule import Rule, Violation

SCALED: Final = (("apps", "Deployment"), ("apps", "StatefulSet"))
AUTOSCALER: Final = ("autoscaling", "HorizontalPodAutoscaler")
BUDGET: Final = ("policy", "PodDisruptionBudget")

ENOUGH: Final = 2


def _alone(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, *SCALED):
        replicas = _replicas(each)
        scalers = [scaler for scaler in of_kind(objects, AUTOSCALER) if _scales(scaler, each)]
        if not scalers and _too_few(replicas):
            fix = "set it to 2 or more, or add a HorizontalPodAutoscaler with minReplicas: 2"
            yield Violation(by=each, path="spec.replicas", value=replicas, fix=fix)
        for scaler in scalers:
            fewest = _or_one(at(scaler.fields, "spec", "minReplicas"))
            if _too_few(fewest):
                yield Violation(by=scaler, path="spec.minReplicas", value=fewest, fix="set it to 2 or more")


def _unguarded(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, *SCALED):
        guarded = any(_guards(budget, each) for budget in of_kind(objects, BUDGET))
        if not guarded and not may_equal(_replicas(each), 0):
            yield Violation(
                by=each,
                path="spec.template.metadata.labels",
                value=at(pod(each)[1], "metadata", "labels"),
                fix="declare a PodDisruptionBudget that selects these pods, with maxUnavailable: 1",
            )


def _replicas(of: Object) -> Value:
    return _or_one(at(of.fields, "spec", "replicas"))


def _or_one(number: Value) -> Value:
    """Return 1, Kubernetes' default, for a number that is not set."""
    return 1 if number is None else number


def _too_few(number: Value) -> bool:
    """Return whether the number is 1; 0 is a workload that is scaled down on purpose."""
    return number is not UNKNOWN and 0 < number < ENOUGH


def _scales(scaler: Object, workload: Object) -> bool:
    target = at(scaler.fields, "spec", "scaleTargetRef")
    _, kind = workload.kind
    return (
        may_equal(scaler.namespace, workload.namespace)
        and may_equal(at(target, "kind"), kind)
        and may_equal(at(target, "name"), workload.name)
    )


def _guards(budget: Object, workload: Object) -> bool:
    labels = at(pod(workload)[1], "metadata", "labels")
    selector = at(budget.fields, "spec", "selector")
    if not may_equal(budget.namespace, workload.namespace) or selector is None:
        return False
    if UNKNOWN in (labels, selector):
        return True
    expressions = [entry for _, entry in entries(at(selector, "matchExpressions"))]
    return may_hold(labels, at(selector, "matchLabels")) and all(
        _fits(labels, entry) for entry in expressions
    )


def _fits(labels: Mapping[str, Value] | None, expression: Value) -> bool:
    """Evaluate one of Kubernetes' label expressions."""
    key, operator = at(expression, "key"), at(expression, "operator")
    values = [value for _, value in entries(at(expression, "values"))]
    label = (labels or {}).get(key)
    if UNKNOWN in (key, operator, at(expression, "values"), *values, label):
        return True
    listed = label in values
    return bool(
        {
            "In": listed,
            "NotIn": not listed,
            "Exists": label is not None,
            "DoesNotExist": label is None,
        }.get(operator)
    )


RULES: Final = (
    Rule(
        name="production-replicas",
        description="In production, a workload has at least two pods.",
        level="advisory",
        scope="stack",
        production=True,
        violations=_alone,
        example="Deployment with `replicas: 1`, without a HorizontalPodAutoscaler",
    ),
    Rule(
        name="production-disruption-budget",
        description="In production, a PodDisruptionBudget limits how many pods are evicted at a time.",
        level="advisory",
        scope="stack",
        production=True,
        violations=_unguarded,
        example="Deployment without a PodDisruptionBudget that selects its pods",
    ),
)
