"""Rules about routes that no request reaches."""

from collections.abc import Iterator
from typing import Final

from components.manifests import route_match
from components.manifests.http_rules import sticky_conditions, sticky_name
from components.manifests.route_match import Spec
from components.model.service import Service
from components.schema.issues import Issue, Path
from components.schema.messages import CATCH_ALL, UNREACHABLE_ROUTE

_EVERYTHING: Final = ({"prefix": "/"}, {"regex": ".*"}, {"regex": "/.*"}, {"regex": ".+"})


def nothing_takes_everything(service: Service, at: Path) -> Iterator[Issue]:
    """A route for every request would replace the weights."""
    for path, _, request in _requests(service, at):
        if request.keys() == {"uri"} and request["uri"] in _EVERYTHING:
            yield CATCH_ALL.at(path / "uri", request["uri"])
        elif request.keys() == {"authority"} and request["authority"] in _EVERYTHING[1:]:
            yield CATCH_ALL.at(path / "authority", request["authority"])


def every_route_is_reached(service: Service, at: Path) -> Iterator[Issue]:
    """A match is unreachable if an earlier one covers it; Istio reports the same (IST0130, IST0131)."""
    seen: list[tuple[str, Spec]] = []
    deciding = {route.name for route in service.routes if route.inherit}
    for path, name, request in _requests(service, at):
        if name in deciding:
            # It gets requests only through the routes below: see `inheritance.decisions_are_reached`.
            continue
        for other, earlier in seen:
            if route_match.takes(earlier, request) or _covers_for_istio(earlier, request):
                yield UNREACHABLE_ROUTE.at(path, request, other=other)
                break
        seen.append((name, request))


def _requests(service: Service, at: Path) -> Iterator[tuple[Path, str, Spec]]:
    """List all matches in their order, with their path and the name of their route."""
    for nth, route in enumerate(service.routes):
        here = at / "routes" / nth
        for kth, each in enumerate(route_match.alternatives(route)):
            yield (here / "anyOf" / kth if route.any_of else here), route.name, route_match.request(each)
    if service.sticky is not None:
        for version in service.versions:
            yield (
                at / "sticky",
                sticky_name(version),
                route_match.request(sticky_conditions(service.sticky, version)),
            )


def _covers_for_istio(earlier: Spec, later: Spec) -> bool:
    """Return whether istiod would report the later match. Its heuristic reads a missing method as GET.

    Source: istio/pkg/config/validation, genMatchHTTPRoutes and coveredValidation.
    """
    above, below = (str(each.get("uri", {}).get("prefix", "")) for each in (earlier, later))
    if not above or not below or above == below or not below.startswith(above):
        return False
    method_above, method_below = (_known(each.get("method")) or "exact:GET" for each in (earlier, later))
    host_above, host_below = (_known(each.get("authority")) for each in (earlier, later))
    return (
        method_above.startswith(method_below)
        and host_above.startswith(host_below)
        and all(_same_names(earlier.get(key, {}), later.get(key, {})) for key in ("headers", "queryParams"))
        and _same_names(earlier.get("withoutHeaders", {}), later.get("withoutHeaders", {}))
    )


def _same_names(above: Spec, below: Spec) -> bool:
    return above.keys() == below.keys() and all(
        _known(match).startswith(_known(below[name])) for name, match in above.items()
    )


def _known(match: Spec | None) -> str:
    """Format a match as istiod compares it: an expression is an empty text."""
    text = match or {}
    return next((f"{kind}:{text[kind]}" for kind in ("exact", "prefix") if kind in text), "")
