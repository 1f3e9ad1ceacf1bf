"""Rules about security: policies that no proxy enforces, and policies that refuse all callers."""

from collections.abc import Iterator

from components.manifests import authorization
from components.model.security import Admission
from components.model.service import Service
from components.model.stack import Ingress, Injection, Stack
from components.schema import jwks
from components.schema.issues import Issue, Path, assign, command
from components.schema.messages import (
    INGRESS_NOT_ALLOWED,
    INVALID_JWKS,
    NEEDS_WAYPOINT,
    NO_PROXY,
    PRIVATE_KEY,
    TOKEN_UNSPECIFIED,
    TOKEN_WITHOUT_JWT,
)


def proxies_enforce_it(stack: Stack, at: Path) -> Iterator[Issue]:
    """Without a proxy, security policies have no effect."""
    injection = stack.namespace.injection
    for place, service in stack.placed.items():
        if service.security is None or injection == "ambient":
            continue
        if injection == "disabled":
            fix = assign(at / "namespace" / "injection", "enabled")
            why = "the namespace's injection is disabled"
            yield NO_PROXY.at(place / "security", None, which="the pods have", why=why, fix=fix)
            continue
        for name in _without_sidecar(service, injection):
            here = place / "versions" / name / "sidecar"
            own = service.versions[name].sidecar
            fix = assign(here, True) if injection == "manual" else command("rm", here)
            why = f"injection is {injection}, and sidecar is {'not set' if own is None else 'false'}"
            yield NO_PROXY.at(here, own, which=f"the pods of {name} have", why=why, fix=fix)


def gateway_is_admitted(stack: Stack, _: Path) -> Iterator[Issue]:
    """A service that is reached from outside must admit the ingress gateway."""
    for place, service in stack.placed.items():
        allow = service.security.allow if service.security and service.outside else None
        if allow is not None and not any(_admits(each, stack.ingress) for each in allow.values()):
            here = place / "security" / "allow"
            fix = assign(here / "users" / "gateway", True)
            yield INGRESS_NOT_ALLOWED.at(here, list(allow), fix=fix)


def ambient_sees_no_requests(stack: Stack, at: Path) -> Iterator[Issue]:
    """The proxies of an ambient mesh handle connections; methods, paths and tokens belong to requests."""
    if stack.namespace.injection != "ambient":
        return
    mesh = assign(at / "namespace" / "injection", "enabled")
    for place, service in stack.placed.items():
        if service.security is None:
            continue
        here = place / "security"
        for name, admission in (service.security.allow or {}).items():
            for key, given in (("methods", admission.methods), ("paths", admission.paths)):
                if given:
                    path = here / "allow" / name / key
                    yield NEEDS_WAYPOINT.at(path, list(given), fix=f"{command('rm', path)}, or {mesh}")
        if service.security.jwt is not None:
            path = here / "jwt"
            yield NEEDS_WAYPOINT.at(path, None, fix=f"{command('rm', path)}, or {mesh}")


def tokens_are_understood(service: Service, at: Path) -> Iterator[Issue]:
    """Tokens need `jwt`, and `jwt.required` needs at least one call that is not open."""
    security = service.security
    if security is None or security.allow is None:
        return
    for name, admission in security.allow.items():
        if security.jwt is None and admission.token is not None:
            yield TOKEN_WITHOUT_JWT.at(at / "security" / "allow" / name / "token", admission.token)
    needed = security.jwt is not None and security.jwt.required
    if needed and all(each.is_open and each.token is None for each in security.allow.values()):
        name = next(iter(security.allow))
        here = at / "security" / "allow" / name / "token"
        fix = f"{assign(here, True)} (a token is needed) or false (public); the same for the others"
        yield TOKEN_UNSPECIFIED.at(here, None, fix=fix)


def keys_are_public_and_whole(service: Service, at: Path) -> Iterator[Issue]:
    """A proxy that cannot parse the keys refuses every token."""
    keys = service.security.jwt.jwks if service.security and service.security.jwt else None
    if keys is None:
        return
    here = at / "security" / "jwt" / "jwks"
    if jwks.has_private_part(keys):
        yield PRIVATE_KEY.at(here, "[a private key]")
    elif why := jwks.error_in(keys):
        yield INVALID_JWKS.at(here, keys, why=why)


def _without_sidecar(service: Service, injection: Injection) -> list[str]:
    if injection == "manual":
        return [name for name, version in service.versions.items() if not version.sidecar]
    return [name for name, version in service.versions.items() if version.sidecar is False]


def _admits(admission: Admission, ingress: Ingress) -> bool:
    """Return whether the ingress gateway is an allowed caller. Without a list of callers, all are."""
    return (
        bool(admission.gateway)
        or not (admission.namespaces or admission.service_accounts)
        or ingress.namespace in admission.namespaces
        or bool(set(authorization.gateway_accounts(ingress)) & set(admission.service_accounts))
    )
