"""Converts VirtualServices to the keys `weights`, `routes`, `resilience` and others. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from operations.adoption.app_objects import AppObjects
from operations.adoption.gateways import gateway
from operations.adoption.route_match import conditions
from operations.adoption.traffic_policy import policy

Keys = dict[str, Any]
Rule = Mapping[str, Any]

WHOLE = 100


def traffic(family: AppObjects) -> Keys:
    """Return the keys for traffic. Without a VirtualService, weights follow the number of pods."""
    rules = list(family.routes[0]["spec"].get("http", ())) if family.routes else []
    last = next((nth for nth, rule in enumerate(rules) if not rule.get("match")), None)
    general = rules[last] if last is not None else (rules[-1] if rules else {})
    above = [rule for rule in rules[:last] if rule.get("match")]
    treated = _treatment(general) if last is not None else {}
    service_wide = policy(_top_policy(family))
    resilience = service_wide | {key: treated.pop(key) for key in ("timeout", "retries") if key in treated}
    service_keys = ("mirror", "cors", "requestHeaders", "responseHeaders")
    return {
        "weights": _split(general.get("route", ()), family),
        **_unless_empty("routes", [_route(nth, rule, general, family) for nth, rule in enumerate(above, 1)]),
        **{key: treated[key] for key in service_keys if key in treated},
        **_unless_empty("resilience", resilience),
        **_entry(family),
    }


def _route(nth: int, rule: Rule, general: Rule, family: AppObjects) -> Keys:
    name = str(rule.get("name", "")).lower().replace("_", "-").replace(".", "-")
    aim: Keys = {}
    if "redirect" in rule:
        redirect = dict(rule["redirect"])
        code = {"code": str(redirect.pop("redirectCode"))} if "redirectCode" in redirect else {}
        aim = {"redirect": redirect | code}
    elif not _follows(rule, general):
        split = {name: share for name, share in _split(rule.get("route", ()), family).items() if share}
        aim = {"to": next(iter(split)) if len(split) == 1 else split}
    return {"name": name or f"route-{nth}", **conditions(rule["match"]), **aim, **_treatment(rule)}


def _follows(rule: Rule, general: Rule) -> bool:
    """Return whether a route follows the weights: it has options of its own and the same destinations.

    One without options may be meant to stay at its destinations, so it gets weights of its own.
    """
    if rule is general:
        return True
    treated = _treatment(rule)
    copied = _mirror(general) and "mirror" not in treated
    return bool(treated) and not copied and rule.get("route") == general.get("route")


def _split(route: Sequence[Rule], family: AppObjects) -> dict[str, int]:
    """Return the share of each version; without a subset, by the number of pods."""
    shares = dict.fromkeys(family.deployments, 0.0)
    weights = [entry.get("weight", 0 if len(route) > 1 else WHOLE) for entry in route] or [WHOLE]
    entries = route or [{}]
    pods = {name: each["spec"].get("replicas", 1) for name, each in family.deployments.items()}
    for entry, weight in zip(entries, weights, strict=True):
        share = WHOLE * weight / (sum(weights) or 1)
        subset = entry.get("destination", {}).get("subset")
        own = _version(subset, family)
        if own is not None:
            shares[own] = shares.get(own, 0) + share
            continue
        for name, count in pods.items():
            shares[name] += share * count / (sum(pods.values()) or 1)
    return _whole(shares)


def _version(subset: str | None, family: AppObjects) -> str | None:
    """Return the version of a subset, by its labels if the subset has another name."""
    for rule in family.rules:
        for each in rule["spec"].get("subsets", ()):
            if each["name"] == subset:
                return str(each.get("labels", {}).get("version", subset))
    return subset


def _whole(shares: Mapping[str, float]) -> dict[str, int]:
    """Round to whole percent that sum to 100, by the largest remainders."""
    whole = {name: int(share) for name, share in shares.items()}
    missing = WHOLE - sum(whole.values())
    for name in sorted(shares, key=lambda name: whole[name] - shares[name])[:missing]:
        whole[name] += 1
    return whole


def _treatment(rule: Rule) -> Keys:
    """Return the options of a route, such as timeout and retries."""
    headers = rule.get("headers", {})
    cors = dict(rule.get("corsPolicy", {}))
    retries = dict(rule.get("retries", {}))
    if isinstance(retries.get("retryOn"), str):
        retries["retryOn"] = [word.strip() for word in retries["retryOn"].split(",") if word.strip()]
    rewrite = dict(rule.get("rewrite", {}))
    if "uriRegexRewrite" in rewrite:
        rewrite["uriRegex"] = rewrite.pop("uriRegexRewrite")
    found = {
        "mirror": _mirror(rule),
        "timeout": rule.get("timeout"),
        "retries": retries,
        "fault": _fault(rule.get("fault", {})),
        "rewrite": rewrite,
        "cors": cors,
        "requestHeaders": headers.get("request"),
        "responseHeaders": headers.get("response"),
    }
    return {key: value for key, value in found.items() if value}


def _mirror(rule: Rule) -> Keys:
    copies = (
        [rule["mirror"]] if "mirror" in rule else [each["destination"] for each in rule.get("mirrors", ())]
    )
    if not copies or "subset" not in copies[0]:
        return {}
    shares = [rule.get("mirrorPercentage"), *(each.get("percentage") for each in rule.get("mirrors", ()))]
    share: Mapping[str, float] = next((each for each in shares if each), {})
    return {"to": copies[0]["subset"], **_percent(share)}


def _fault(fault: Mapping[str, Any]) -> Keys:
    found: Keys = {}
    if delay := fault.get("delay"):
        found["delay"] = {"time": delay.get("fixedDelay"), **_percent(delay.get("percentage", {}))}
    if abort := fault.get("abort"):
        found["abort"] = {"status": abort.get("httpStatus"), **_percent(abort.get("percentage", {}))}
    return found


def _percent(percentage: Mapping[str, float]) -> Keys:
    return {"percent": percentage["value"]} if "value" in percentage else {}


def _top_policy(family: AppObjects) -> Mapping[str, Any]:
    # Of several rules for one host, Istio takes the first one's top level.
    policies = [each["spec"].get("trafficPolicy") for each in family.rules]
    return next((each for each in policies if each), {})


def _entry(family: AppObjects) -> Keys:
    """Return the keys `gateway` and `mesh`.

    With routes for gateways alone, callers inside the mesh reach every pod, before and after.
    """
    inside = any("mesh" in (each["spec"].get("gateways") or ("mesh",)) for each in family.routes)
    return {"gateway": gateway(family), **({"mesh": inside} if family.routes else {})}


def _unless_empty(key: str, value: Keys | list[Keys]) -> Keys:
    return {key: value} if value else {}
