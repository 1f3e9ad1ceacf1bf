"""Rules about routes that take what was meant for those below."""

from collections.abc import Iterator
from typing import Final

from components.manifests import route_match
from components.manifests.http_rules import sticky_conditions, sticky_name
from components.manifests.route_match import Spec
from components.model.service import Service
from components.schema.issues import Issue, Path
from components.schema.messages import CATCH_ALL, NEVER_REACHED

_EVERYTHING: Final = ({"prefix": "/"}, {"regex": ".*"}, {"regex": "/.*"}, {"regex": ".+"})


def nothing_takes_everything(service: Service, at: Path) -> Iterator[Issue]:
    """A route for every request is not a route but the weights."""
    for path, _, request in _requests(service, at):
        if request.keys() == {"uri"} and request["uri"] in _EVERYTHING:
            yield CATCH_ALL.at(path / "uri", request["uri"])
        elif request.keys() == {"authority"} and request["authority"] in _EVERYTHING[1:]:
            yield CATCH_ALL.at(path / "authority", request["authority"])


def every_route_is_reached(service: Service, at: Path) -> Iterator[Issue]:
    """A match that an earlier one takes whole is dead, and Istio says so too (IST0130, IST0131)."""
    seen: list[tuple[str, Spec]] = []
    deciding = {route.name for route in service.routes if route.inherit}
    for path, name, request in _requests(service, at):
        if name in deciding:
            # It takes requests only by the routes below: `inheritance.decisions_are_reached`.
            continue
        for other, earlier in seen:
            if route_match.takes(earlier, request) or _covers_for_istio(earlier, request):
                yield NEVER_REACHED.at(path, request, other=other)
                break
        seen.append((name, request))


def _requests(service: Service, at: Path) -> Iterator[tuple[Path, str, Spec]]:
    """List all match requests in their order, with their place and the name of their route."""
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
    """Tell whether istiod would say so. It guesses: a match without a method is one for GET, to begin with.

    Its own words: pkg/config/validation, genMatchHTTPRoutes and coveredValidation.
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
    """Write a match as istiod compares it: an expression counts as nothing."""
    text = match or {}
    return next((f"{kind}:{text[kind]}" for kind in ("exact", "prefix") if kind in text), "")
