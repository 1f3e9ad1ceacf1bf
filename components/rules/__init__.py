"""Validation across the fields of a stack file.

A rule is a function that yields issues and depends on no other rule. Its docstring states the reason, which
docs/messages.md prints for messages without one of their own.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from components.model.service import Service
from components.model.stack import Stack
from components.rules import (
    canary,
    cluster,
    cors,
    gateway_api,
    gateways,
    hosts,
    inheritance,
    mesh_callers,
    redirects,
    resilience,
    routes,
    security,
    unreachable_routes,
    versions,
    weights,
)
from components.schema.invalid import InvalidValueError, is_valid
from components.schema.issues import Issue, Path

OF_STACK: Final[tuple[Callable[[Stack, Path], Iterator[Issue]], ...]] = (
    cluster.namespace_is_free,
    cluster.sidecars_are_possible,
    gateways.ports_are_distinct,
    gateways.ports_speak_one_protocol,
    gateways.extra_ports_have_a_target,
    gateways.mutual_has_no_extra_ports,
    hosts.hosts_are_distinct,
    hosts.joined_gateways_have_hosts,
    mesh_callers.weights_have_a_proxy,
    gateways.certificates_are_distinct,
    versions.workloads_are_distinct,
    security.proxies_enforce_it,
    security.gateway_is_admitted,
    security.ambient_sees_no_requests,
    gateway_api.everything_has_an_equivalent,
    gateway_api.limits_are_respected,
    gateway_api.order_is_preserved,
    gateway_api.services_are_apart,
)
OF_SERVICE: Final[tuple[Callable[[Service, Path], Iterator[Issue]], ...]] = (
    weights.weights_are_whole,
    versions.names_fit,
    versions.port_is_free,
    versions.limits_hold_requests,
    versions.scaling_has_room,
    versions.budgets_allow_node_drains,
    versions.spreads_are_distinct,
    routes.names_are_distinct,
    routes.destinations_exist,
    routes.redirects_exclude_options,
    redirects.redirects_do_not_loop,
    routes.conditions_are_distinct,
    routes.cookies_fit_an_expression,
    routes.sources_are_in_the_mesh,
    routes.header_changes_are_apart,
    routes.rewrites_have_a_path,
    routes.rewrites_fit_an_expression,
    routes.rewrites_name_their_groups,
    inheritance.decisions_have_a_version,
    inheritance.decisions_exclude_options,
    inheritance.decisions_can_be_combined,
    inheritance.decisions_are_reached,
    unreachable_routes.nothing_takes_everything,
    unreachable_routes.every_route_is_reached,
    hosts.hosts_are_apart,
    gateways.gateway_is_used,
    gateways.redirects_arrive,
    gateways.mutual_is_without_exception,
    gateways.listeners_are_not_the_proxys,
    cors.stars_come_without_credentials,
    resilience.retries_have_attempts,
    resilience.tries_fit_the_timeout,
    resilience.failover_has_outliers,
    resilience.localities_add_up,
    security.tokens_are_understood,
    security.keys_are_public_and_whole,
    canary.steps_go_up,
    canary.samples_fit_the_steps,
    canary.queries_know_both_versions,
)


def violations(stack: Stack, at: Path, *, decoded: bool = True) -> list[Issue]:
    """Validate the stack against all rules.

    Args:
        stack: the decoded stack; values that failed to decode are `Invalid`.
        at: the path of the stack file's keys.
        decoded: whether every value was decoded. If not, a rule that meets an invalid value is skipped.
    """
    found: list[Issue] = []
    # Measured: `re` rejects an Invalid for its type (TypeError), and a match without its required key becomes
    # an empty mapping (KeyError). Without decoding errors neither is suppressed.
    expected = (InvalidValueError,) if decoded else (InvalidValueError, TypeError, KeyError)
    rules = [rule(stack, at) for rule in OF_STACK]
    rules += [rule(service, place) for place, service in stack.placed.items() for rule in OF_SERVICE]
    for rule in rules:
        with suppress(*expected):
            # An invalid value has been reported by the decoder and cannot be printed.
            found.extend(issue for issue in rule if is_valid(issue.value))
    return found
