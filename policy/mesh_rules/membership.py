"""Laws of how namespaces and services join the mesh."""

from collections.abc import Iterator, Sequence
from typing import Final

from mesh_rules.objects import UNKNOWN, Object, Value, at, entries, may_equal, of_kind
from mesh_rules.rule import Rule, Violation
from mesh_rules.subsets import SERVICE

NAMESPACE: Final = ("core", "Namespace")

INJECTION: Final = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode")

PROTOCOLS: Final = {
    *("http", "http2", "https", "http_proxy", "grpc", "grpc-web", "tcp", "tls", "udp", "mongo", "redis"),
    *("mysql", "kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss"),
}
"""What Istio reads in a port's name, before the first `-`, or in its appProtocol."""

STATUS_PORT: Final = 15021
"""Where a gateway's proxy answers health checks: `status-port` in Istio's chart. No route ever uses it."""


def _twice_injected(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, NAMESPACE):
        labels = at(each.fields, "metadata", "labels")
        found = {key: label for key in INJECTION if _chooses(label := at(labels, key))}
        if len(found) > 1:
            yield Violation(
                by=each,
                path="metadata.labels",
                value=found,
                fix=f"keep one of {', '.join(found)}: Istio obeys one and silently ignores the others",
            )


def _chooses(label: Value) -> bool:
    # `istio.io/dataplane-mode: none` only says what holds without it.
    return label not in (None, UNKNOWN, "none")


def _nameless(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, SERVICE):
        if at(each.fields, "spec", "type") in ("ExternalName", UNKNOWN):
            continue
        for nth, port in entries(at(each.fields, "spec", "ports")):
            if not _protocol_said(port):
                said = at(port, "appProtocol")
                yield Violation(
                    by=each,
                    path=f"spec.ports[{nth}].{'appProtocol' if said else 'name'}",
                    value=said or at(port, "name"),
                    fix="write appProtocol: http (https, grpc, tcp), or begin the name with it: http-api; "
                    "what passes for TCP gets no HTTP routes",
                )


def _protocol_said(port: Value) -> bool:
    said, name, protocol = at(port, "appProtocol"), at(port, "name"), at(port, "protocol")
    if UNKNOWN in (said, name, protocol) or protocol in ("UDP", "SCTP"):
        return True
    text = str(said or name).lower()
    known = text in PROTOCOLS or (not said and text.split("-")[0] in PROTOCOLS)
    return known or may_equal(at(port, "port"), STATUS_PORT)


LAWS: Final = (
    Rule(
        name="one-injection-label",
        description="A namespace says once whether and how its pods join the mesh.",
        level="mandatory",
        violations=_twice_injected,
        example="`labels: {istio-injection: enabled, istio.io/rev: canary}`",
    ),
    Rule(
        name="port-protocol-said",
        description="A port of a Service says its protocol, by its name or by appProtocol.",
        level="mandatory",
        violations=_nameless,
        example="`ports: [{name: api, port: 80}]`",
    ),
)
