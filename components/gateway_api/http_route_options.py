"""The options of a route or service → the filters and timeouts of an HTTPRoute's rules."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.manifests import route_options
from components.manifests.route_match import Spec
from components.model.rewrite import Redirect, Rewrite
from components.model.route_options import Cors, HeaderChanges, Mirror
from components.model.routes import Route, Sticky
from components.model.service import Service
from components.schema.decode import encode
from components.schema.durations import seconds

MILLION: Final = 1_000_000
"""Envoy counts a share of requests in millionths."""

_UNITS: Final = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def of_route(service: Service, route: Route, mirror: Mirror | None) -> Spec:
    """Return the filters and timeouts of a route, completed by the options of the service."""
    filters = _common(
        cors=route.cors or service.cors,
        request_headers=route.request_headers or service.request_headers,
        response_headers=route.response_headers or service.response_headers,
        mirror=_mirror(service, mirror) if mirror else None,
    )
    filters += [_rewrite(route.rewrite)] if route.rewrite else []
    return _with_timeout(filters, route.timeout or service.resilience.timeout)


def of_service(service: Service, mirror: Mirror | None) -> Spec:
    """Return the filters and timeouts of the service."""
    filters = _common(
        cors=service.cors,
        request_headers=service.request_headers,
        response_headers=service.response_headers,
        mirror=_mirror(service, mirror) if mirror else None,
    )
    return _with_timeout(filters, service.resilience.timeout)


def backend(service: Service, version: str) -> Spec:
    """Return a reference to the Service of a version."""
    return {"group": "", "kind": "Service", "name": service.workload(version), "port": service.app.port}


def redirect(to: Redirect) -> Spec:
    """Return a redirect."""
    spec = {
        "scheme": to.scheme,
        "hostname": to.authority,
        "port": to.port,
        "path": _full_path(to.uri) if to.uri else None,
        "statusCode": int(to.code),
    }
    given = {key: value for key, value in spec.items() if value is not None}
    return {"filters": [{"type": "RequestRedirect", "requestRedirect": given}]}


def set_cookie(sticky: Sticky, version: str) -> Spec:
    """Return the filter that sets the cookie of a version, for one backend."""
    changes = route_options.set_cookie(sticky, version)["headers"]["response"]
    return {"filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": _changes(changes)}]}


def duration(text: str) -> str:
    """Format a duration for the Gateway API: whole numbers of at most five digits."""
    rest, written = int((seconds(text) or 0) * 1000), ""
    for unit, milliseconds in _UNITS.items():
        count, rest = divmod(rest, milliseconds)
        written += f"{count}{unit}" if count else ""
    return written


def _common(
    *,
    cors: Cors | None,
    request_headers: HeaderChanges | None,
    response_headers: HeaderChanges | None,
    mirror: Spec | None,
) -> list[Spec]:
    filters: Iterable[tuple[str, Spec | None]] = (
        ("cors", _cors(cors) if cors else None),
        ("requestHeaderModifier", _changes(encode(request_headers)) if request_headers else None),
        ("responseHeaderModifier", _changes(encode(response_headers)) if response_headers else None),
        ("requestMirror", mirror),
    )
    return [{"type": _type(key), key: spec} for key, spec in filters if spec is not None]


def _type(key: str) -> str:
    return "CORS" if key == "cors" else key[:1].upper() + key[1:]


def _with_timeout(filters: list[Spec], timeout: str | None) -> Spec:
    return ({"filters": filters} if filters else {}) | (
        {"timeouts": {"request": duration(timeout)}} if timeout and seconds(timeout) else {}
    )


def _changes(changes: Mapping[str, Any]) -> Spec:
    lists = {
        verb: [{"name": name, "value": value} for name, value in changes[verb].items()]
        for verb in ("set", "add")
        if verb in changes
    }
    return lists | ({"remove": list(changes["remove"])} if "remove" in changes else {})


def _cors(cors: Cors) -> Spec:
    written: Spec = encode(cors)
    written["allowOrigins"] = [each if isinstance(each, str) else each.exact for each in cors.allow_origins]
    if cors.max_age:
        written["maxAge"] = int(seconds(cors.max_age) or 0)
    return written


def _mirror(service: Service, mirror: Mirror) -> Spec:
    share: Spec = {"percent": int(mirror.percent)}
    if not mirror.percent.is_integer():
        share = {"fraction": {"numerator": round(mirror.percent * MILLION / 100), "denominator": MILLION}}
    return {"backendRef": backend(service, mirror.to), **share}


def _rewrite(rewrite: Rewrite) -> Spec:
    spec = {
        "hostname": rewrite.authority,
        "path": _full_path(rewrite.uri) if rewrite.uri else None,
    }
    return {
        "type": "URLRewrite",
        "urlRewrite": {key: value for key, value in spec.items() if value is not None},
    }


def _full_path(path: str) -> Spec:
    return {"type": "ReplaceFullPath", "replaceFullPath": path}
