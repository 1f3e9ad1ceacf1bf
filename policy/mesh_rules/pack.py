"""Converts rules to Pulumi's policies. The only file here that imports Pulumi."""

from collections.abc import Iterable, Mapping, Sequence

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from mesh_rules.objects import UNKNOWN, Object, Value
from mesh_rules.rule import PRODUCTION, Rule


def policy(rule: Rule) -> Policy:
    """Return the policy of a rule."""

    def report(
        resources: Iterable[ResourceValidationArgs | PolicyResource],
        settings: Mapping[str, Value],
        report_violation: ReportViolation,
    ) -> None:
        found = (
            Object.read(each.resource_type, each.name, each.urn, plain(each.props)) for each in resources
        )
        if objects := [each for each in found if each is not None]:
            for violation in rule.broken_in(objects, settings):
                report_violation(str(violation), violation.by.urn)

    def check_object(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        report([args], args.get_config(), report_violation)

    def check_stack(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        report(args.resources, args.get_config(), report_violation)

    level, schema = EnforcementLevel(rule.level), PolicyConfigSchema(settings_of(rule))
    if rule.scope == "stack":
        return StackValidationPolicy(rule.name, rule.description, check_stack, level, schema)
    return ResourceValidationPolicy(rule.name, rule.description, check_object, level, schema)


def settings_of(rule: Rule) -> dict[str, dict[str, Value]]:
    """Return the settings of a rule in the policy config, as JSON Schema."""
    patterns = {"type": "array", "items": {"type": "string"}}
    exempt = "Objects that the rule does not apply to, by pattern: DaemonSet logging/*"
    settings = {"exempt": {**patterns, "description": exempt, "default": []}}
    if rule.production:
        description = "Names of production stacks, by pattern"
        settings["production"] = {**patterns, "description": description, "default": list(PRODUCTION)}
    return settings


def plain(value: Value) -> Value:
    """Copy a resource's properties; Pulumi's proxies raise if a value is not yet known."""
    if isinstance(value, Mapping):
        return {key: _known(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_known(value, nth) for nth in range(len(value))]
    # All of Pulumi's numbers are floats.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _known(container: Value, key: str | int) -> Value:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN
