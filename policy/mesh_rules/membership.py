"""Rules for namespaces and Services in the mesh."""

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
"""Protocols that Istio recognises in a port's name, before the first `-`, or in its appProtocol."""

STATUS_PORT: Final = 15021
"""The port for a gateway's health checks, `status-port` in Istio's chart. No route uses it."""


def _twice_injected(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, NAMESPACE):
        labels = at(each.fields, "metadata", "labels")
        found = {key: label for key in INJECTION if _chooses(label := at(labels, key))}
        if len(found) > 1:
            yield Violation(
                by=each,
                path="metadata.labels",
                value=found,
                fix=f"keep one of {', '.join(found)}: Istio silently ignores the others",
            )


def _chooses(label: Value) -> bool:
    # `istio.io/dataplane-mode: none` is the default.
    return label not in (None, UNKNOWN, "none")


def _nameless(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, SERVICE):
        if at(each.fields, "spec", "type") in ("ExternalName", UNKNOWN):
            continue
        for nth, port in entries(at(each.fields, "spec", "ports")):
            if not _protocol_declared(port):
                declared = at(port, "appProtocol")
                yield Violation(
                    by=each,
                    path=f"spec.ports[{nth}].{'appProtocol' if declared else 'name'}",
                    value=declared or at(port, "name"),
                    fix="set appProtocol: http (https, grpc, tcp), or put it before the name: http-api; "
                    "HTTP routes do not apply to a TCP port",
                )


def _protocol_declared(port: Value) -> bool:
    declared, name, protocol = at(port, "appProtocol"), at(port, "name"), at(port, "protocol")
    if UNKNOWN in (declared, name, protocol) or protocol in ("UDP", "SCTP"):
        return True
    text = str(declared or name).lower()
    known = text in PROTOCOLS or (not declared and text.split("-")[0] in PROTOCOLS)
    return known or may_equal(at(port, "port"), STATUS_PORT)


RULES: Final = (
    Rule(
        name="one-injection-label",
        description="A namespace has at most one label that chooses how its pods join the mesh.",
        level="mandatory",
        violations=_twice_injected,
        example="`labels: {istio-injection: enabled, istio.io/rev: canary}`",
    ),
    Rule(
        name="port-protocol-said",
        description="A port of a Service declares its protocol, by its name or by appProtocol.",
        level="mandatory",
        violations=_nameless,
        example="`ports: [{name: api, port: 80}]`",
    ),
)
