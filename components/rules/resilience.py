"""Rules about retries, timeouts and localities."""

from collections.abc import Iterator, Mapping

from components.model.locality import LocalityPolicy
from components.model.retries import Retries
from components.model.service import Service
from components.schema.durations import seconds
from components.schema.issues import Issue, Path, assign
from components.schema.messages import (
    FAILOVER_BLIND,
    FAILOVER_IN_PLACE,
    LOCALITIES_OVERLAP,
    LOCALITY_SUM,
    RETRIES_OFF,
    TRY_OUTLASTS,
)

WHOLE = 100


def retries_mean_something(service: Service, at: Path) -> Iterator[Issue]:
    """Istio's webhook refuses a retry policy that is switched off."""
    for path, retries, _ in _retries(service, at):
        if retries.attempts == 0:
            if retries.per_try_timeout:
                yield RETRIES_OFF.at(path / "perTryTimeout", retries.per_try_timeout)
            if retries.retry_on:
                yield RETRIES_OFF.at(path / "retryOn", list(retries.retry_on))


def tries_fit_the_timeout(service: Service, at: Path) -> Iterator[Issue]:
    """A try that outlasts the request is never the one that times out."""
    for path, retries, timeout in _retries(service, at):
        each, whole = seconds(retries.per_try_timeout or ""), seconds(timeout or "")
        if each and whole and each > whole:
            yield TRY_OUTLASTS.at(path / "perTryTimeout", retries.per_try_timeout, timeout=timeout)


def failover_knows_good_pods(service: Service, at: Path) -> Iterator[Issue]:
    """Without outlier detection every pod is good for ever, and nothing fails over."""
    for name, version in service.versions.items():
        locality = version.locality or service.resilience.locality
        if locality and locality.failover and not (version.outliers or service.resilience.outliers):
            own = version.locality is not None
            here = at / "versions" / name if own else at / "resilience"
            fix = assign(here / "outliers", {"consecutive5xx": 5})
            yield FAILOVER_BLIND.at(here / "locality" / "failover", None, version=name, fix=fix)
            if not own:
                return


def localities_add_up(service: Service, at: Path) -> Iterator[Issue]:
    """Each locality is named once, and its traffic is divided whole."""
    places = {at / "resilience": service.resilience.locality}
    places |= {at / "versions" / name: version.locality for name, version in service.versions.items()}
    for path, locality in places.items():
        if locality is not None:
            yield from _locality(locality, path / "locality")


def _locality(locality: LocalityPolicy, at: Path) -> Iterator[Issue]:
    """Istio refuses a region that fails over to itself."""
    for nth, failover in enumerate(locality.failover or ()):
        if failover.from_ == failover.to:
            yield FAILOVER_IN_PLACE.at(at / "failover" / nth / "to", failover.to)
    rules = locality.distribute or ()
    yield from _apart([(each.from_, at / "distribute" / nth / "from") for nth, each in enumerate(rules)])
    for nth, rule in enumerate(rules):
        here = at / "distribute" / nth / "to"
        yield from _apart([(place, here / place) for place in rule.to])
        yield from _sum(rule.to, here)


def _sum(shares: Mapping[str, int], at: Path) -> Iterator[Issue]:
    """Traffic that comes from a locality is divided whole, or Istio refuses the rule."""
    total = sum(shares.values())
    if total != WHOLE:
        largest = max(shares, key=lambda place: shares[place])
        rest = total - shares[largest]
        fix = assign(at / largest, WHOLE - rest) if rest < WHOLE else f"give shares of {WHOLE} in all"
        yield LOCALITY_SUM.at(at, dict(shares), total=total, fix=fix)


def _apart(places: list[tuple[str, Path]]) -> Iterator[Issue]:
    """Of two shares for one place either could hold: Istio refuses localities that overlap."""
    for nth, (place, path) in enumerate(places):
        other = next((other for other, _ in places[:nth] if _overlap(place, other)), None)
        if other is not None:
            yield LOCALITIES_OVERLAP.at(path, place, other=other)


def _overlap(one: str, other: str) -> bool:
    """Tell whether one locality is in the other: a part that is not said is every one."""
    pairs = zip([*one.split("/"), "*", "*"][:3], [*other.split("/"), "*", "*"][:3], strict=True)
    return all(a == b or "*" in (a, b) for a, b in pairs)


def _retries(service: Service, at: Path) -> Iterator[tuple[Path, Retries, str | None]]:
    """List retries where they are said, with the timeout that holds there."""
    general = service.resilience
    if general.retries:
        yield at / "resilience" / "retries", general.retries, general.timeout
    for nth, route in enumerate(service.routes):
        if route.retries:
            yield at / "routes" / nth / "retries", route.retries, route.timeout or general.timeout
        elif general.retries and route.timeout:
            yield at / "resilience" / "retries", general.retries, route.timeout
