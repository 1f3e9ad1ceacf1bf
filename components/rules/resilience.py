"""Rules about retries, timeouts and localities."""

from collections.abc import Iterator, Mapping

from components.model.locality import LocalityPolicy
from components.model.retries import Retries
from components.model.service import Service
from components.schema.durations import seconds
from components.schema.issues import Issue, Path, assign
from components.schema.messages import (
    FAILOVER_TO_SAME_REGION,
    FAILOVER_WITHOUT_OUTLIERS,
    LOCALITIES_OVERLAP,
    LOCALITY_SUM,
    RETRIES_OFF,
    TRY_EXCEEDS_TIMEOUT,
)

WHOLE = 100


def retries_have_attempts(service: Service, at: Path) -> Iterator[Issue]:
    """Istio's webhook refuses the settings of retries that are switched off."""
    for path, retries, _ in _retries(service, at):
        if retries.attempts == 0:
            if retries.per_try_timeout:
                yield RETRIES_OFF.at(path / "perTryTimeout", retries.per_try_timeout)
            if retries.retry_on:
                yield RETRIES_OFF.at(path / "retryOn", list(retries.retry_on))


def tries_fit_the_timeout(service: Service, at: Path) -> Iterator[Issue]:
    """The timeout of a single try has no effect if it exceeds that of the whole request."""
    for path, retries, timeout in _retries(service, at):
        each, total = seconds(retries.per_try_timeout or ""), seconds(timeout or "")
        if each and total and each > total:
            yield TRY_EXCEEDS_TIMEOUT.at(path / "perTryTimeout", retries.per_try_timeout, timeout=timeout)


def failover_has_outliers(service: Service, at: Path) -> Iterator[Issue]:
    """Without outlier detection no pod is ever ejected, so traffic never fails over."""
    for name, version in service.versions.items():
        locality = version.locality or service.resilience.locality
        if locality and locality.failover and not (version.outliers or service.resilience.outliers):
            own = version.locality is not None
            here = at / "versions" / name if own else at / "resilience"
            fix = assign(here / "outliers", {"consecutive5xx": 5})
            yield FAILOVER_WITHOUT_OUTLIERS.at(here / "locality" / "failover", None, version=name, fix=fix)
            if not own:
                return


def localities_add_up(service: Service, at: Path) -> Iterator[Issue]:
    """Each locality is listed once, and its shares sum to 100."""
    places = {at / "resilience": service.resilience.locality}
    places |= {at / "versions" / name: version.locality for name, version in service.versions.items()}
    for path, locality in places.items():
        if locality is not None:
            yield from _locality(locality, path / "locality")


def _locality(locality: LocalityPolicy, at: Path) -> Iterator[Issue]:
    """Istio refuses a region that fails over to itself."""
    for nth, failover in enumerate(locality.failover or ()):
        if failover.from_ == failover.to:
            yield FAILOVER_TO_SAME_REGION.at(at / "failover" / nth / "to", failover.to)
    rules = locality.distribute or ()
    yield from _apart([(each.from_, at / "distribute" / nth / "from") for nth, each in enumerate(rules)])
    for nth, rule in enumerate(rules):
        here = at / "distribute" / nth / "to"
        yield from _apart([(place, here / place) for place in rule.to])
        yield from _sum(rule.to, here)


def _sum(shares: Mapping[str, int], at: Path) -> Iterator[Issue]:
    """The shares of a locality must sum to 100, or Istio refuses the rule."""
    total = sum(shares.values())
    if total != WHOLE:
        largest = max(shares, key=lambda place: shares[place])
        rest = total - shares[largest]
        fix = assign(at / largest, WHOLE - rest) if rest < WHOLE else f"give shares of {WHOLE} in all"
        yield LOCALITY_SUM.at(at, dict(shares), total=total, fix=fix)


def _apart(places: list[tuple[str, Path]]) -> Iterator[Issue]:
    """Istio refuses localities that overlap, since either share could apply."""
    for nth, (place, path) in enumerate(places):
        other = next((other for other, _ in places[:nth] if _overlap(place, other)), None)
        if other is not None:
            yield LOCALITIES_OVERLAP.at(path, place, other=other)


def _overlap(one: str, other: str) -> bool:
    """Return whether one locality contains the other: an absent part matches any."""
    pairs = zip([*one.split("/"), "*", "*"][:3], [*other.split("/"), "*", "*"][:3], strict=True)
    return all(a == b or "*" in (a, b) for a, b in pairs)


def _retries(service: Service, at: Path) -> Iterator[tuple[Path, Retries, str | None]]:
    """List each retry policy with its path and the timeout that applies to its requests."""
    general = service.resilience
    if general.retries:
        yield at / "resilience" / "retries", general.retries, general.timeout
    for nth, route in enumerate(service.routes):
        if route.retries:
            yield at / "routes" / nth / "retries", route.retries, route.timeout or general.timeout
        elif general.retries and route.timeout:
            yield at / "resilience" / "retries", general.retries, route.timeout
