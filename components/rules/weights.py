"""Rules about the weights of the service and of its routes."""

from collections.abc import Iterator, Mapping
from typing import Final

from components.model.service import Service
from components.schema.issues import Issue, Path, assign
from components.schema.messages import WEIGHT_SUM, WEIGHT_WITHOUT_VERSION

WHOLE: Final = 100


def weights_are_whole(service: Service, at: Path) -> Iterator[Issue]:
    """Weights must sum to 100 and name versions of the service."""
    yield from _whole(service, service.weights, at / "weights")
    for nth, route in enumerate(service.routes):
        if isinstance(route.to, Mapping):
            yield from _whole(service, route.to, at / "routes" / nth / "to")


def _whole(service: Service, weights: Mapping[str, int], at: Path) -> Iterator[Issue]:
    """Istio only refuses a sum of 0, and reads 90 and 20 as shares of 110."""
    foreign_objects = sorted(weights.keys() - service.versions.keys())
    for name in foreign_objects:
        yield WEIGHT_WITHOUT_VERSION.at(at / name, weights[name], known=", ".join(service.versions))
    split = service.shares(weights)
    total = sum(split.values())
    if total == WHOLE or foreign_objects:
        return
    # The difference goes to the version with the highest weight: that is the usual mistake.
    heaviest = max(split, key=lambda name: split[name])
    rest = total - split[heaviest]
    if rest <= WHOLE:
        fix = assign(at / heaviest, WHOLE - rest)
    else:
        fix = assign(at, {name: WHOLE if name == heaviest else 0 for name in split})
    yield WEIGHT_SUM.at(at, split, total=total, fix=fix)
