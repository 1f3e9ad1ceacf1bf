"""Converts Gateways and the hosts of VirtualServices to the key `gateway`. Pure.

A Gateway whose servers can be expressed in the stack file is replaced by one of the stack's own. Any other
stays as it is, and the stack names it as `existing`: no certificate, redirect or protocol is lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from operations.adoption.app_objects import AppObjects, is_internal
from operations.errors import OperationError

Keys = dict[str, Any]
Server = Mapping[str, Any]

PLAIN: Final = {"HTTP", "HTTP2", "GRPC"}
"""Protocols of a server without TLS that the gateway serves as HTTP."""

HTTPS_PORT: Final = 443


class _Inexpressible(Exception):
    """A server of a Gateway has a field without a key in the stack file."""


@dataclass(kw_only=True)
class _Listener:
    """One listener of the stack file: hosts with at most one plain server and one with a certificate."""

    hosts: list[str]
    plain: Server | None = None
    secure: Server | None = None
    tls: Keys = field(default_factory=dict)

    @property
    def is_mutual(self) -> bool:
        """Whether it accepts only clients with a certificate."""
        return self.tls.get("mode") == "MUTUAL" and (self.plain is None or self.redirects)

    @property
    def redirects(self) -> bool:
        return bool(self.plain and self.plain.get("tls", {}).get("httpsRedirect", False))

    def keys(self) -> Keys:
        found: Keys = {"hosts": self.hosts}
        if self.plain:
            found["port"] = self.plain["port"]["number"]
        if self.secure:
            port = self.secure["port"]["number"]
            # Without a plain server no request was answered in plain text, so a redirect is added; with
            # client certificates only if there was one.
            redirects = self.redirects or (self.plain is None and not self.is_mutual)
            found["tls"] = {
                **self.tls,
                **({"port": port} if port != HTTPS_PORT else {}),
                **({"redirect": True} if redirects else {}),
            }
        return found


def gateway(family: AppObjects) -> Keys:
    """Return the value of `gateway`; for an app without a Gateway, one with an internal host.

    Raises:
        OperationError: the routes have several Gateways that the stack cannot replace.
    """
    hosts = _outside_hosts(family)
    names = family.gateway_names
    if not hosts or not names:
        # The program has a Gateway for every app. This name is in no DNS, so it receives no requests.
        return {"hosts": hosts or [f"{family.app}.{family.namespace}.internal"]}
    if all(name in family.own_gateways for name in names):
        try:
            return _own(hosts, [family.own_gateways[name] for name in names])
        except _Inexpressible as reason:
            if len(names) > 1:
                raise OperationError(
                    f"{family.app} is reached by {_listed(names)}, and the stack file cannot express "
                    f"{reason}; one Gateway could stay as it is, but not several",
                    fix="give the VirtualService one Gateway, or remove that field, then run this again",
                ) from reason
    if len(names) > 1:
        raise OperationError(
            f"{family.app} is reached by {_listed(names)}, and `gateway.existing` names one Gateway",
            fix="give the VirtualService one of them, or make a stack of its own for each",
        )
    return _existing(hosts, names[0], family)


def _outside_hosts(family: AppObjects) -> list[str]:
    specs = [each["spec"] for each in family.routes if not is_internal(each["spec"])]
    hosts = [host for spec in specs for host in spec["hosts"] if _is_public(host)]
    return list(dict.fromkeys(hosts))


def _is_public(host: str) -> bool:
    return host == "*" or ("." in host and not host.endswith((".svc", ".svc.cluster.local")))


def _existing(hosts: Sequence[str], name: str, family: AppObjects) -> Keys:
    """Name a Gateway that stays as it is, with the port of its server for the app."""
    found = family.named_gateways.get(name)
    if found is None:
        raise OperationError(
            f"the VirtualService of {family.app} names Gateway {name}, which does not exist",
            fix="create it, or remove the name from spec.gateways, then run this again",
        )
    serving = [server for server in found["spec"]["servers"] if _served(hosts, server)]
    secure = [server for server in serving if server["port"]["protocol"] == "HTTPS"]
    server = next(iter([*secure, *serving]), None)
    port = {"port": server["port"]["number"]} if server else {}
    return {"hosts": list(hosts), "existing": name, **port}


def _own(hosts: Sequence[str], gateways: Sequence[Mapping[str, Any]]) -> Keys:
    """Express the servers of the app's own Gateways as listeners."""
    listeners: list[_Listener] = []
    for found in gateways:
        for nth, server in enumerate(found["spec"]["servers"]):
            if served := _served(hosts, server):
                where = f"Gateway {found['metadata']['name']} spec.servers[{nth}]"
                _add(listeners, served, server, where)
    if not listeners:
        return {"hosts": list(hosts)}
    asks = any(each.tls.get("mode") == "MUTUAL" for each in listeners)
    if asks and not all(each.is_mutual for each in listeners):
        raise _Inexpressible("a server without client certificates beside one with tls.mode: MUTUAL")
    first, *others = [each.keys() for each in listeners]
    return {**first, **({"listeners": others} if others else {})}


def _add(listeners: list[_Listener], hosts: list[str], server: Server, where: str) -> None:
    protocol, tls = server["port"]["protocol"], dict(server.get("tls") or {})
    secure = protocol == "HTTPS"
    slot = "secure" if secure else "plain"
    if unknown := server.keys() - {"port", "hosts", "tls", "name"}:
        raise _Inexpressible(f"{where}.{min(unknown)}")
    if not secure and (protocol not in PLAIN or tls.keys() - {"httpsRedirect"}):
        raise _Inexpressible(f"{where}.port.protocol: {protocol}")
    free = [each for each in listeners if each.hosts == hosts and getattr(each, slot) is None]
    listener = free[0] if free else _Listener(hosts=hosts)
    if secure:
        listener.tls = _certificate(tls, where)
    setattr(listener, slot, server)
    if not free:
        listeners.append(listener)


def _certificate(tls: Keys, where: str) -> Keys:
    mode, secret = tls.pop("mode", "SIMPLE"), tls.pop("credentialName", None)
    if secret is None or mode not in {"SIMPLE", "MUTUAL"} or tls:
        what = next(iter(tls), f"mode: {mode}")
        raise _Inexpressible(f"{where}.tls.{what}")
    return {"secret": secret, **({"mode": mode} if mode != "SIMPLE" else {})}


def _served(hosts: Sequence[str], server: Server) -> list[str]:
    """List the hosts of the app that a server serves: the narrower of each pair."""
    found = (
        narrow
        for wanted in hosts
        for open_to in server["hosts"]
        for narrow in _narrower(wanted, open_to.rpartition("/")[2])
    )
    return list(dict.fromkeys(found))


def _narrower(host: str, other: str) -> Iterator[str]:
    if host == other or _covers(other, host):
        yield host
    elif _covers(host, other):
        yield other


def _covers(wide: str, host: str) -> bool:
    return wide.startswith("*") and host.endswith(wide[1:])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"Gateway {name}" for name in names)
