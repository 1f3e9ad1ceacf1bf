"""Rules about weights, those of all traffic and those of a route."""

from collections.abc import Iterator, Mapping
from typing import Final

from components.model.service import Service
from components.schema.issues import Issue, Path, assign
from components.schema.messages import WEIGHT_SUM, WEIGHT_WITHOUT_VERSION

WHOLE: Final = 100


def weights_are_whole(service: Service, at: Path) -> Iterator[Issue]:
    """Every place that divides traffic divides all of it, between versions that run."""
    yield from _whole(service, service.weights, at / "weights")
    for nth, route in enumerate(service.routes):
        if isinstance(route.to, Mapping):
            yield from _whole(service, route.to, at / "routes" / nth / "to")


def _whole(service: Service, weights: Mapping[str, int], at: Path) -> Iterator[Issue]:
    """Istio only refuses a sum of 0, and takes 90 and 20 for shares of 110."""
    foreign_objects = sorted(weights.keys() - service.versions.keys())
    for name in foreign_objects:
        yield WEIGHT_WITHOUT_VERSION.at(at / name, weights[name], known=", ".join(service.versions))
    split = service.shares(weights)
    total = sum(split.values())
    if total == WHOLE or foreign_objects:
        return
    # The version with the most traffic gives or takes the difference, which is what was forgotten most often.
    heaviest = max(split, key=lambda name: split[name])
    rest = total - split[heaviest]
    if rest <= WHOLE:
        fix = assign(at / heaviest, WHOLE - rest)
    else:
        fix = assign(at, {name: WHOLE if name == heaviest else 0 for name in split})
    yield WEIGHT_SUM.at(at, split, total=total, fix=fix)
