"""Rules about `routes`: names, destinations, conditions and options."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from components.manifests import route_match
from components.manifests.http_rules import WEIGHTS, sticky_name
from components.manifests.path_rewrite import new_path
from components.model.route_match import Conditions
from components.model.routes import Route
from components.model.service import Service
from components.schema.decode import encode
from components.schema.issues import Issue, Path, assign, command
from components.schema.messages import (
    COOKIES_AND_COOKIE_HEADER,
    COOKIES_TOO_LONG,
    DUPLICATE_CONDITION,
    DUPLICATE_HEADER,
    NO_SUCH_GROUP,
    NO_SUCH_VERSION,
    REDIRECT_WITH_OPTIONS,
    REWRITE_TOO_LONG,
    REWRITE_WITHOUT_PATH,
    ROUTE_NAME_TAKEN,
    SOURCE_WITHOUT_MESH,
)
from components.schema.regex import LONGEST_REGEX, compiled


def names_are_distinct(service: Service, at: Path) -> Iterator[Issue]:
    """A name identifies one route, in a preview and in Envoy's statistics."""
    taken = {WEIGHTS: "the weights"} | {
        sticky_name(version): "the cookie's routes" for version in service.versions
    }
    for nth, route in enumerate(service.routes):
        here = at / "routes" / nth / "name"
        if route.name in taken:
            yield ROUTE_NAME_TAKEN.at(here, route.name, other=taken[route.name], free=f"{route.name}-{nth}")
        taken.setdefault(route.name, str(here))


def destinations_exist(service: Service, at: Path) -> Iterator[Issue]:
    """A route to a missing subset answers every request with 503."""
    named = [(at / "mirror" / "to", service.mirror.to)] if service.mirror else []
    for nth, route in enumerate(service.routes):
        here = at / "routes" / nth
        named += [(here / "to", route.to)] if isinstance(route.to, str) else []
        named += [(here / "mirror" / "to", route.mirror.to)] if route.mirror else []
    for path, version in named:
        if version not in service.versions:
            known = tuple(service.versions)
            nearest = get_close_matches(version, known, n=1, cutoff=0.0)[0]
            yield NO_SUCH_VERSION.at(path, version, known=", ".join(known), nearest=nearest)


def redirects_exclude_options(service: Service, at: Path) -> Iterator[Issue]:
    """Istio refuses some of these options with a redirect, and ignores the others."""
    excluded = ("fault", "rewrite", "mirror", "timeout", "retries", "requestHeaders")
    for nth, route in enumerate(service.routes):
        if route.redirect is not None:
            given = encode(route)
            for key in excluded:
                if key in given:
                    yield REDIRECT_WITH_OPTIONS.at(at / "routes" / nth / key, given[key])


def conditions_are_distinct(service: Service, at: Path) -> Iterator[Issue]:
    """If the route and one of its alternatives have a condition on the same field, either could be meant."""
    for nth, route in enumerate(service.routes):
        for_all = _fields(route)
        for kth, match in enumerate(route.any_of):
            for keys in sorted(keys for keys in _fields(match) if keys in for_all):
                here = at / "routes" / nth / "anyOf" / kth
                for key in keys:
                    here /= key
                yield DUPLICATE_CONDITION.at(here, None)


def cookies_fit_an_expression(service: Service, at: Path) -> Iterator[Issue]:
    """All cookies are in the header `cookie`, and so in one expression."""
    for path, match in _conditions(service, at):
        if match.cookies and "cookie" in match.headers:
            yield COOKIES_AND_COOKIE_HEADER.at(path / "cookies", encode(match.cookies))
            continue
        request = route_match.request(match)
        written = [request.get(side, {}).get("cookie", {}) for side in ("headers", "withoutHeaders")]
        length = max(len(each.get("regex", "").encode()) for each in written)
        if match.cookies and length > LONGEST_REGEX:
            words = {"longest": LONGEST_REGEX, "length": length}
            yield COOKIES_TOO_LONG.at(path / "cookies", encode(match.cookies), **words)


def sources_are_in_the_mesh(service: Service, at: Path) -> Iterator[Issue]:
    """Requests from a gateway have no source in the mesh, so the route would never match."""
    if service.mesh:
        return
    for nth, route in enumerate(service.routes):
        places = [(at / "routes" / nth, route.source)]
        places += [(at / "routes" / nth / "anyOf" / k, match.source) for k, match in enumerate(route.any_of)]
        for path, source in places:
            if source is not None:
                fix = command("rm", at / "mesh")
                yield SOURCE_WITHOUT_MESH.at(path / "source", encode(source), fix=fix)


def header_changes_are_apart(service: Service, at: Path) -> Iterator[Issue]:
    """The result of two changes to one header would depend on Envoy's order."""
    places = [(at, service), *((at / "routes" / nth, route) for nth, route in enumerate(service.routes))]
    headers = [(path / "requestHeaders", place.request_headers) for path, place in places]
    headers += [(path / "responseHeaders", place.response_headers) for path, place in places]
    for path, changes in headers:
        if changes is None:
            continue
        for name in sorted(name for name in changes.add if name in changes.set):
            yield DUPLICATE_HEADER.at(path / "add" / name, changes.add[name], other="set")
        for nth, name in enumerate(changes.remove):
            if name in changes.set or name in changes.add:
                other = "set" if name in changes.set else "add"
                yield DUPLICATE_HEADER.at(path / "remove" / nth, name, other=other)


def rewrites_have_a_path(service: Service, at: Path) -> Iterator[Issue]:
    """Without a condition on the path Istio rewrites the prefix `/`."""
    for nth, route in enumerate(service.routes):
        new = route.rewrite.uri if route.rewrite else None
        if new is None or not any(each.uri is None for each in route_match.alternatives(route)):
            continue
        here = at / "routes" / nth
        prepend = assign((here / "anyOf" / 0 if route.any_of else here) / "uri", {"prefix": "/"})
        replace = assign(here / "rewrite", {"uriRegex": {"match": "^.*$", "rewrite": new}})
        yield REWRITE_WITHOUT_PATH.at(
            here / "rewrite" / "uri", new, fix=f"{prepend}; to replace the whole path, {replace}"
        )


def rewrites_fit_an_expression(service: Service, at: Path) -> Iterator[Issue]:
    """A rewrite becomes an expression if only one of the prefix and the new path ends with `/`."""
    for nth, route in enumerate(service.routes):
        new = route.rewrite.uri if route.rewrite else None
        regex = new_path(route, new).get("uriRegexRewrite", {}).get("match", "") if new else ""
        if (length := len(regex)) > LONGEST_REGEX:
            words = {"longest": LONGEST_REGEX, "length": length}
            yield REWRITE_TOO_LONG.at(at / "routes" / nth / "rewrite" / "uri", new, **words)


def rewrites_name_their_groups(service: Service, at: Path) -> Iterator[Issue]:
    """Envoy refuses the whole route table if the expression lacks the group."""
    for nth, route in enumerate(service.routes):
        regex = route.rewrite.uri_regex if route.rewrite else None
        if regex is not None:
            groups = compiled(regex.match).groups
            named = [int(number) for number in re.findall(r"\\([0-9])", regex.rewrite)]
            if named and max(named) > groups:
                here = at / "routes" / nth / "rewrite" / "uriRegex" / "rewrite"
                yield NO_SUCH_GROUP.at(here, regex.rewrite, groups=groups, group=max(named))


def _conditions(service: Service, at: Path) -> Iterator[tuple[Path, Conditions]]:
    for nth, route in enumerate(service.routes):
        here = at / "routes" / nth
        for kth, conditions in enumerate(route_match.alternatives(route)):
            yield (here / "anyOf" / kth if route.any_of else here), conditions


def _fields(conditions: Conditions | Route) -> set[tuple[str, ...]]:
    """List the fields that the conditions test: `("uri",)`, `("headers", "x-team")`."""
    tested: set[tuple[str, ...]] = set()
    for key in ("uri", "method", "authority", "source"):
        tested |= {(key,)} if getattr(conditions, key) is not None else set()
    by_name: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("headers", conditions.headers),
        ("cookies", conditions.cookies),
        ("query", conditions.query),
    )
    return tested | {(key, name) for key, mapping in by_name for name in mapping}
