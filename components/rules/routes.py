"""Rules about the routes above the weights."""

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
    CONDITION_TWICE,
    COOKIES_TOO_LONG,
    COOKIES_TWICE,
    HEADER_TWICE,
    NO_SUCH_GROUP,
    NO_SUCH_VERSION,
    REDIRECT_ALONE,
    REWRITE_TOO_LONG,
    REWRITE_WITHOUT_PATH,
    ROUTE_NAME_TAKEN,
    SOURCE_OUTSIDE_MESH,
)
from components.schema.regex import LONGEST_REGEX, compiled


def names_are_distinct(service: Service, at: Path) -> Iterator[Issue]:
    """A name leads to one route, in a preview and in Envoy's statistics."""
    taken = {WEIGHTS: "the weights"} | {
        sticky_name(version): "the cookie's routes" for version in service.versions
    }
    for nth, route in enumerate(service.routes):
        here = at / "routes" / nth / "name"
        if route.name in taken:
            yield ROUTE_NAME_TAKEN.at(here, route.name, other=taken[route.name], free=f"{route.name}-{nth}")
        taken.setdefault(route.name, str(here))


def destinations_exist(service: Service, at: Path) -> Iterator[Issue]:
    """A route to a subset that is not there cannot be written."""
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
    """Istio refuses some of these and forgets the others."""
    acting = ("fault", "rewrite", "mirror", "timeout", "retries", "requestHeaders")
    for nth, route in enumerate(service.routes):
        if route.redirect is not None:
            said = encode(route)
            for key in acting:
                if key in said:
                    yield REDIRECT_ALONE.at(at / "routes" / nth / key, said[key])


def conditions_are_distinct(service: Service, at: Path) -> Iterator[Issue]:
    """Of two conditions on one thing, one for all alternatives and one for this, either could be meant."""
    for nth, route in enumerate(service.routes):
        for_all = _said(route)
        for kth, match in enumerate(route.any_of):
            for keys in sorted(keys for keys in _said(match) if keys in for_all):
                here = at / "routes" / nth / "anyOf" / kth
                for key in keys:
                    here /= key
                yield CONDITION_TWICE.at(here, None)


def cookies_fit_an_expression(service: Service, at: Path) -> Iterator[Issue]:
    """Cookies share the header `cookie`, and one expression."""
    for path, match in _conditions(service, at):
        if match.cookies and "cookie" in match.headers:
            yield COOKIES_TWICE.at(path / "cookies", encode(match.cookies))
            continue
        request = route_match.request(match)
        written = [request.get(side, {}).get("cookie", {}) for side in ("headers", "withoutHeaders")]
        length = max(len(each.get("regex", "").encode()) for each in written)
        if match.cookies and length > LONGEST_REGEX:
            words = {"longest": LONGEST_REGEX, "length": length}
            yield COOKIES_TOO_LONG.at(path / "cookies", encode(match.cookies), **words)


def sources_are_in_the_mesh(service: Service, at: Path) -> Iterator[Issue]:
    """A gateway's traffic has no source that the mesh knows: the route would never match."""
    if service.mesh:
        return
    for nth, route in enumerate(service.routes):
        places = [(at / "routes" / nth, route.source)]
        places += [(at / "routes" / nth / "anyOf" / k, match.source) for k, match in enumerate(route.any_of)]
        for path, source in places:
            if source is not None:
                fix = command("rm", at / "mesh")
                yield SOURCE_OUTSIDE_MESH.at(path / "source", encode(source), fix=fix)


def header_changes_are_apart(service: Service, at: Path) -> Iterator[Issue]:
    """Of two changes to one header only the order in which Envoy makes them would decide."""
    places = [(at, service), *((at / "routes" / nth, route) for nth, route in enumerate(service.routes))]
    said = [(path / "requestHeaders", place.request_headers) for path, place in places]
    said += [(path / "responseHeaders", place.response_headers) for path, place in places]
    for path, changes in said:
        if changes is None:
            continue
        for name in sorted(name for name in changes.add if name in changes.set):
            yield HEADER_TWICE.at(path / "add" / name, changes.add[name], other="set")
        for nth, name in enumerate(changes.remove):
            if name in changes.set or name in changes.add:
                other = "set" if name in changes.set else "add"
                yield HEADER_TWICE.at(path / "remove" / nth, name, other=other)


def rewrites_have_a_path(service: Service, at: Path) -> Iterator[Issue]:
    """Without a condition on the path Istio takes it for the prefix `/`."""
    for nth, route in enumerate(service.routes):
        new = route.rewrite.uri if route.rewrite else None
        if new is None or not any(each.uri is None for each in route_match.alternatives(route)):
            continue
        here = at / "routes" / nth
        before = assign((here / "anyOf" / 0 if route.any_of else here) / "uri", {"prefix": "/"})
        whole = assign(here / "rewrite", {"uriRegex": {"match": "^.*$", "rewrite": new}})
        yield REWRITE_WITHOUT_PATH.at(here / "rewrite" / "uri", new, fix=f"{before}; or {whole}")


def rewrites_fit_an_expression(service: Service, at: Path) -> Iterator[Issue]:
    """A prefix that the new path does not fit as it is becomes an expression."""
    for nth, route in enumerate(service.routes):
        new = route.rewrite.uri if route.rewrite else None
        regex = new_path(route, new).get("uriRegexRewrite", {}).get("match", "") if new else ""
        if (length := len(regex)) > LONGEST_REGEX:
            words = {"longest": LONGEST_REGEX, "length": length}
            yield REWRITE_TOO_LONG.at(at / "routes" / nth / "rewrite" / "uri", new, **words)


def rewrites_name_their_groups(service: Service, at: Path) -> Iterator[Issue]:
    """Envoy refuses the whole route table for a group that the expression does not have."""
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


def _said(conditions: Conditions | Route) -> set[tuple[str, ...]]:
    """List the things that conditions speak of: `("uri",)`, `("headers", "x-team")`."""
    said: set[tuple[str, ...]] = set()
    for key in ("uri", "method", "authority", "source"):
        said |= {(key,)} if getattr(conditions, key) is not None else set()
    by_name: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("headers", conditions.headers),
        ("cookies", conditions.cookies),
        ("query", conditions.query),
    )
    return said | {(key, name) for key, mapping in by_name for name in mapping}
