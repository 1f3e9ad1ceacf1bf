"""Rules for the routes of a VirtualService."""

from collections.abc import Iterator, Sequence
from typing import Final

from mesh_rules.objects import UNKNOWN, Object, Value, at, entries, of_kind
from mesh_rules.rule import Rule, Violation, shown

VIRTUAL_SERVICE: Final = ("networking.istio.io", "VirtualService")
PROTOCOLS: Final = ("http", "tcp", "tls")

ALL: Final = 100

NO_CONDITION: Final = {"name", "ignoreUriCase", "statPrefix"}
"""Keys of a match that are no condition."""

EVERY_PATH: Final = ({"prefix": "/"}, {"regex": ".*"}, {"regex": "/.*"})


def routes(virtual_service: Object) -> Iterator[tuple[str, Value]]:
    """List all routes, each with its path."""
    for protocol in PROTOCOLS:
        for nth, route in entries(at(virtual_service.fields, "spec", protocol)):
            yield f"spec.{protocol}[{nth}]", route


def _weights(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, VIRTUAL_SERVICE):
        for path, route in routes(each):
            weights = [at(destination, "weight") for _, destination in entries(at(route, "route"))]
            if weights and not _divides(weights):
                yield Violation(
                    by=each,
                    path=f"{path}.route[*].weight",
                    value=" + ".join(shown(weight) for weight in weights),
                    fix="give each destination of this route a weight from 0 to 100, with the sum 100",
                )


def _divides(weights: Sequence[Value]) -> bool:
    """Return whether the weights sum to 100; a single destination needs none."""
    if UNKNOWN in weights or weights == [None]:
        return True
    numbers = [0 if weight is None else weight for weight in weights]
    if not all(isinstance(number, int | float) and 0 <= number <= ALL for number in numbers):
        return False
    return sum(numbers) == ALL


def _unreachable(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, VIRTUAL_SERVICE):
        for protocol in PROTOCOLS:
            found = entries(at(each.fields, "spec", protocol))
            greedy = [nth for nth, route in found[:-1] if _takes_all(at(route, "match"))]
            for nth in greedy[:1]:
                below = ", ".join(_title(protocol, *entry) for entry in found[nth + 1 :])
                yield Violation(
                    by=each,
                    path=f"spec.{protocol}[{nth}].match",
                    value=at(found[nth][1], "match"),
                    fix=f"put this route last, or give it a condition: no request reaches {below}",
                )


def _takes_all(match: Value) -> bool:
    """Return whether every request matches: there is no match, or one of its entries has no condition."""
    if match is UNKNOWN:
        return False
    return not match or any(_unconditional(entry) for _, entry in entries(match))


def _unconditional(entry: Value) -> bool:
    if entry is UNKNOWN:
        return False
    conditions = {key: value for key, value in (entry or {}).items() if key not in NO_CONDITION and value}
    return not conditions or (set(conditions) == {"uri"} and conditions["uri"] in EVERY_PATH)


def _title(protocol: str, nth: int, route: Value) -> str:
    name = at(route, "name")
    return name if isinstance(name, str) else f"{protocol}[{nth}]"


def _wildcard_in_mesh(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, VIRTUAL_SERVICE):
        gateways = at(each.fields, "spec", "gateways")
        # Without gateways, a VirtualService applies to the sidecars.
        in_mesh = not gateways or "mesh" in [gateway for _, gateway in entries(gateways)]
        for nth, host in entries(at(each.fields, "spec", "hosts")):
            if in_mesh and host == "*":
                yield Violation(
                    by=each,
                    path=f"spec.hosts[{nth}]",
                    value=host,
                    fix="name the hosts, or only the ingress gateway in spec.gateways",
                )


RULES: Final = (
    Rule(
        name="weights-sum-to-100",
        description="The weights of a route sum to 100.",
        level="mandatory",
        violations=_weights,
        example="`route: [{destination: …, weight: 90}, {destination: …, weight: 20}]`",
    ),
    Rule(
        name="routes-reachable",
        description="A route that matches every request is the last one.",
        level="mandatory",
        violations=_unreachable,
        example="`http: [{route: …}, {match: [{headers: …}], route: …}]`",
    ),
    Rule(
        name="no-wildcard-in-mesh",
        description="No VirtualService applies to every host inside the mesh.",
        level="mandatory",
        violations=_wildcard_in_mesh,
        example='`hosts: ["*"], gateways: [mesh]`',
    ),
)
