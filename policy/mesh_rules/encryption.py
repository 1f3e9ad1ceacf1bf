"""Rules for encryption in production: inside the mesh, and at the gateway."""

from collections.abc import Iterator, Sequence
from typing import Final

from mesh_rules.objects import UNKNOWN, Object, Value, at, entries, of_kind
from mesh_rules.rule import Rule, Violation
from mesh_rules.subsets import DESTINATION_RULE, host

GATEWAY: Final = ("networking.istio.io", "Gateway")
PEER_AUTHENTICATION: Final = ("security.istio.io", "PeerAuthentication")

PLAIN: Final = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")
"""Protocols of a Gateway's server that are not encrypted."""


def _disabled(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in objects:
        for path, mode in (*_accepted(each), *_sent(each)):
            if mode == "DISABLE":
                yield Violation(by=each, path=path, value=mode, fix=_fix(each))


def _fix(of: Object) -> str:
    if of.kind == DESTINATION_RULE:
        return "remove it, or set ISTIO_MUTUAL: Istio then encrypts traffic inside the mesh"
    return "set STRICT, or PERMISSIVE while there are clients without a sidecar"


def _permissive(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in objects:
        for path, mode in _accepted(each):
            if mode == "PERMISSIVE":
                fix = "set STRICT once every client has a sidecar; PERMISSIVE accepts plain text"
                yield Violation(by=each, path=path, value=mode, fix=fix)


def _accepted(of: Object) -> Iterator[tuple[str, Value]]:
    """List the modes of a PeerAuthentication: what servers accept."""
    if of.kind != PEER_AUTHENTICATION:
        return
    yield "spec.mtls.mode", at(of.fields, "spec", "mtls", "mode")
    ports = at(of.fields, "spec", "portLevelMtls")
    for port in ports if isinstance(ports, dict) else ():
        yield f'spec.portLevelMtls["{port}"].mode', at(ports, port, "mode")


def _sent(of: Object) -> Iterator[tuple[str, Value]]:
    """List the modes of a DestinationRule for a host in the mesh: what clients send."""
    target = host(at(of.fields, "spec", "host"), of.namespace)
    if of.kind != DESTINATION_RULE or not isinstance(target, str) or not target.endswith((".svc", ".local")):
        return
    spec = at(of.fields, "spec")
    policies = [("spec", at(spec, "trafficPolicy"))]
    for nth, subset in entries(at(spec, "subsets")):
        policies.append((f"spec.subsets[{nth}]", at(subset, "trafficPolicy")))
    for path, policy in policies:
        yield f"{path}.trafficPolicy.tls.mode", at(policy, "tls", "mode")
        for nth, port in entries(at(policy, "portLevelSettings")):
            yield f"{path}.trafficPolicy.portLevelSettings[{nth}].tls.mode", at(port, "tls", "mode")


def _plain(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in of_kind(objects, GATEWAY):
        for nth, server in entries(at(each.fields, "spec", "servers")):
            protocol = at(server, "port", "protocol")
            redirected = at(server, "tls", "httpsRedirect")
            if str(protocol).upper() in PLAIN and redirected is not True and redirected is not UNKNOWN:
                yield Violation(
                    by=each,
                    path=f"spec.servers[{nth}]",
                    value=at(server, "port"),
                    fix="add tls: {httpsRedirect: true} here, and a server for HTTPS with a certificate",
                )


RULES: Final = (
    Rule(
        name="mtls-not-disabled",
        description="In production, mutual TLS is not disabled inside the mesh.",
        level="mandatory",
        production=True,
        violations=_disabled,
        example="PeerAuthentication with `mtls: {mode: DISABLE}`",
    ),
    Rule(
        name="mtls-strict",
        description="In production, servers accept mutual TLS and no plain text.",
        level="advisory",
        production=True,
        violations=_permissive,
        example="PeerAuthentication with `mtls: {mode: PERMISSIVE}`",
    ),
    Rule(
        name="gateway-encrypted",
        description="In production, a Gateway accepts plain HTTP only to redirect it to HTTPS.",
        level="advisory",
        production=True,
        violations=_plain,
        example="`servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: …}]`",
    ),
)
