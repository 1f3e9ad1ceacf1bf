"""Stack files drawn by hypothesis from the model's own type hints, most of them sound.

What the hints say is drawn as they say it. What only the rules between values say is put right afterwards
where it hardly ever comes out right by chance: weights that sum, versions that exist, names of their own.
"""

import math
from functools import cache
from typing import Any

from hypothesis import strategies as st

from components.model.stack import StackFile
from components.schema.constraints import Always, Distinct, NotEmpty, Pattern, Range
from components.schema.durations import Duration
from components.schema.key_groups import choices
from components.schema.regex import Regex
from components.schema.type_hints import (
    Hint,
    Shape,
    arguments,
    hints_of,
    keys_of,
    members,
    required,
    shape,
    unwrap,
)

EXPRESSIONS = (
    ".*Mobile/14.*",
    "[a-z]+",
    "v(1|2)",
    "/items/[0-9]+",
    r"\w+\.example\.com",
    "(?i)beta",
    "(a)(b)?",
)
DURATIONS = {"1ms": ("1ms", "250ms", "1.5s", "2s", "1m30s"), "1s": ("1s", "90s", "1h", "1h30m")}
TEXTS = (
    "a", "z9", "0", "7x", "n", "no", "true", "null", "42", "1.5", "0x1f", "a-b", "x--y", "v1",
    "v10", "edge", "a" * 40, "b" * 63, "c" * 62 + "0", "a.b", "A.B_c-1", "A", "GET", "é", "日本",
    "a b", "a=b; c", "'", '"', "{}", "#", "/", "/a", "/a/b.c-d_e~f", "/a%20b", "*.a.io",
    "a.b.example.com", "xn--bcher-kva.example", "localhost:5000/a", "ghcr.io/a/b_c", "kube-x/y",
    "x-forwarded-for", "cookie", "set-cookie", "100%%", "~", "::1", "1.2.3.4", "eu-west-1", "1",
    "2", "500m", "0.5", "3Gi", "99%", "0%",
)  # fmt: skip
"""Texts at the edges of the forms: short, long, quoted by YAML or not, with all kinds of signs."""


TREATMENT = {
    "mirror", "timeout", "retries", "fault", "rewrite", "cors", "requestHeaders", "responseHeaders",
}  # fmt: skip
"""What a route can do with its requests."""


@cache
def values(hint: Hint) -> st.SearchStrategy[Any]:
    """Draw plain data that fits a type hint."""
    alternatives = members(hint)
    if alternatives != (hint,):
        return st.one_of([values(each) for each in alternatives])
    bare, extras = unwrap(hint)
    for extra in extras:
        if (drawn := _constrained(extra)) is not None:
            return drawn
    return _shaped(bare, extras)


def _constrained(by: object) -> st.SearchStrategy[Any] | None:
    match by:
        case Pattern():
            return st.sampled_from([by.example, *(text for text in TEXTS if by.accepts(text))])
        case Regex():
            return st.sampled_from(EXPRESSIONS)
        case Duration():
            return st.sampled_from(DURATIONS[by.unit])
        case Always():
            return st.just(by.only)
    return None


def _tenths(bounds: Range) -> tuple[int, int]:
    """Return the bounds in tenths, for percentages."""
    return math.ceil(bounds.minimum * 10), math.floor(min(bounds.maximum, 100) * 10)


def _shaped(bare: Hint, extras: tuple[object, ...]) -> st.SearchStrategy[Any]:
    least = int(any(isinstance(extra, NotEmpty) for extra in extras))
    bounds = next((extra for extra in extras if isinstance(extra, Range)), Range(0, 1000))
    match shape(bare):
        case Shape.TABLE:
            return tables(bare)
        case Shape.LIST:
            distinct = any(isinstance(extra, Distinct) for extra in extras)
            entries = values(arguments(bare)[0])
            return st.lists(entries, min_size=least, max_size=3, unique_by=repr if distinct else None)
        case Shape.MAPPING:
            key, value = arguments(bare)
            return st.dictionaries(values(key), values(value), min_size=least, max_size=2)
        case Shape.WORD:
            return st.sampled_from(arguments(bare))
    scalars: dict[Hint, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(int(bounds.minimum), int(bounds.maximum)),
        float: st.integers(*_tenths(bounds)).map(lambda tenth: tenth / 10),
        str: st.sampled_from(TEXTS),
    }
    return scalars[bare]


@st.composite
def tables(draw: st.DrawFn, kind: type) -> dict[str, Any]:
    """Draw a mapping with the keys of a dataclass: those it must have, and some of the others."""
    fields, hints = keys_of(kind), hints_of(kind)
    given = {key for key, field in fields.items() if required(field) or draw(st.integers(0, 2)) == 0}
    for choice in choices(kind):
        here = [key for key in choice.keys if key in given]
        given -= set(here[choice.at_most :])
        given |= {draw(st.sampled_from(choice.keys))} if len(here) < choice.at_least else set()
    chosen = {key for choice in choices(kind) for key in choice.keys}
    drawn = {key: values(hints[fields[key].name]) for key in sorted(given)}
    # A choice between keys does not count one with nothing in it.
    return {
        key: draw(strategy.filter(lambda value: value not in ({}, []))) if key in chosen else draw(strategy)
        for key, strategy in drawn.items()
    }


@st.composite
def weights(draw: st.DrawFn, versions: list[str]) -> dict[str, int]:
    """Divide 100 between some versions."""
    chosen = draw(st.lists(st.sampled_from(versions), min_size=1, unique=True))
    cuts = sorted(draw(st.integers(0, 100)) for _ in chosen[1:])
    return {name: high - low for name, low, high in zip(chosen, [0, *cuts], [*cuts, 100], strict=True)}


@st.composite
def stack_files(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the config of a stack, by whole keys."""
    # The Gateway API has no words for most of what is drawn.
    file = draw(tables(StackFile)) | {"api": "istio"}
    names = list(file["versions"])
    file["weights"] = draw(weights(names))
    for nth, route in enumerate(file.get("routes", [])):
        route["name"] = f"route-{nth}"
        if "to" in route:
            route["to"] = draw(st.sampled_from(names) if isinstance(route["to"], str) else weights(names))
        _alone(route)
        _inherits(route)
    for place in [file, *file.get("routes", [])]:
        if "mirror" in place:
            place["mirror"]["to"] = draw(st.sampled_from(names))
        _changes(place)
    _in_mesh(file)
    _way_in(file)
    for place in [file.get("resilience", {}), *file["versions"].values()]:
        _put_right(place)
    _ports(file.get("ingress", {}))
    return {"kubernetes:context": "lab"} | {f"mesh-app:{key}": value for key, value in file.items()}


def _alone(route: dict[str, Any]) -> None:
    """Say each condition once, and let a redirect stand alone."""
    for match in route.get("anyOf", []):
        for key in match.keys() & route.keys():
            del route[key]
    if "redirect" in route:
        for key in ("fault", "rewrite", "mirror", "timeout", "retries", "requestHeaders"):
            route.pop(key, None)


def _inherits(route: dict[str, Any]) -> None:
    """Let a route that only decides the version say nothing else."""
    if "to" not in route:
        route.pop("inherit", None)
    if "inherit" in route:
        for key in TREATMENT & route.keys():
            del route[key]


def _changes(place: dict[str, Any]) -> None:
    """Change each header once, and try again only where that is switched on."""
    for side in ("requestHeaders", "responseHeaders"):
        if side in place:
            place[side] = {"set": place[side]["set"]} if place[side].get("set") else {"remove": ["x-debug"]}
    if "retries" in place:
        place["retries"] = {"attempts": max(1, place["retries"]["attempts"])}


def _in_mesh(file: dict[str, Any]) -> None:
    """Let callers who are conditions of a route follow the routes, and no caller of an ambient mesh."""
    routes = file.get("routes", [])
    if any("source" in each for route in routes for each in (route, *route.get("anyOf", []))):
        file["mesh"] = True
    if file["namespace"].get("injection") == "ambient":
        file["namespace"]["injection"] = "enabled" if file.get("mesh") else "ambient"
        file.setdefault("mesh", False)


def _way_in(file: dict[str, Any]) -> None:
    """Take each host, port and certificate once, and no Gateway where nobody outside is to come."""
    gateway = file.setdefault("gateway", {})
    for nth, listener in enumerate([gateway, *gateway.get("listeners", [])]):
        if "hosts" in listener or "listeners" in gateway:
            listener["hosts"] = [f"shop-{nth}.example.com", f"*.shop-{nth}.test"]
        if "port" in listener:
            listener["port"] = 8000 + nth
        if "tls" in listener:
            listener["tls"] |= {"secret": f"certificate-{nth}", "port": 443}
    if file.get("mesh") == "only" or gateway.get("existing"):
        file.get("ingress", {}).pop("extraPorts", None)
    if file.get("mesh") == "only":
        del file["gateway"]


def _ports(ingress: dict[str, Any]) -> None:
    """Take each port once, and an ingress that is in no stack's namespace."""
    ingress.pop("service", None)
    for nth, extra in enumerate(ingress.get("extraPorts", [])):
        extra |= {"port": 60000 + nth, "targetPort": 61000 + nth, "nodePort": 32000 + nth}


def _put_right(place: dict[str, Any]) -> None:
    """Mend what two keys of a version, or of what holds for all versions, say together."""
    _changes(place)
    if "autoscaling" in place:
        scaling = place["autoscaling"]
        scaling["min"], scaling["max"] = sorted((scaling["min"], scaling["max"]))
    if "resources" in place:
        place["resources"] = {
            "requests": place["resources"].get("requests", {}),
            "limits": {"memory": "9000Gi"},
        }
    if "disruptionBudget" in place:
        place["disruptionBudget"] = {"maxUnavailable": 1}
    for nth, spread in enumerate(place.get("spread", [])):
        spread |= {"over": ("zone", "node")[nth // 2], "required": bool(nth % 2)}
    locality = place.get("locality", {})
    for nth, rule in enumerate(locality.get("distribute", [])):
        rule |= {"from": f"region-{nth}/*", "to": {"eu-west-1/*": 60, "eu-central-1": 40}}
    for failover in locality.get("failover", []):
        place["outliers"] = {"consecutive5xx": 5}
        failover |= {"from": "eu-west-1", "to": "eu-central-1"}
