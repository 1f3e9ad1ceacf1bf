"""Stack files for the tests, as plain values."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from components.model.stack import Stack
from components.schema.issues import Issue
from components.settings.errors import ConfigError
from components.settings.load import parse

WALKTHROUGH: Mapping[str, Any] = {
    "kubernetes:context": "lab",
    "pulumi:disable-default-providers": ["kubernetes"],
    "mesh-app:namespace": {"name": "springistiodemo", "injection": "enabled"},
    "mesh-app:app": {
        "name": "springbootapp",
        "image": "xjk27400861/springbootapp",
        "port": 8080,
        "probe": "/hello",
    },
    "mesh-app:versions": {"v1": {"tag": "42"}, "v2": {"tag": "43"}},
    "mesh-app:weights": {"v1": 100, "v2": 0},
    "mesh-app:gateway": {"hosts": ["*"], "port": 80},
    "mesh-app:ingress": {
        "address": "127.0.0.1",
        "extraPorts": [{"port": 8066, "targetPort": 8080, "nodePort": 31386}],
    },
}

GONE = object()
"""Removes the key it is given for."""

SHOP: Mapping[str, Any] = {
    "app": {"image": "team/shop", "port": 8080, "probe": "/ready"},
    "versions": {"v1": {"tag": "1"}, "v2": {"tag": "2"}},
    "weights": {"v1": 90, "v2": 10},
    "gateway": {"hosts": ["shop.example.com"]},
}
CART: Mapping[str, Any] = {
    "app": {"image": "team/cart", "port": 9090, "probe": "/healthz", "path": "/cart"},
    "versions": {"blue": {"tag": "7"}, "green": {"tag": "8"}},
    "weights": {"green": 100},
    "gateway": {"hosts": ["cart.example.com"]},
}


def with_changes(**changes: object) -> dict[str, Any]:
    """Change the walkthrough at dotted paths: `versions__v2__tag=44`."""
    config = deepcopy(dict(WALKTHROUGH))
    for dotted, value in changes.items():
        first, *steps = dotted.split("__")
        key = (
            first.replace("kubernetes_", "kubernetes:")
            if first.startswith("kubernetes_")
            else f"mesh-app:{first}"
        )
        change(config, [key, *steps], value)
    return config


def change(config: Any, steps: list[str], value: object) -> None:  # noqa: ANN401 - nested plain data
    """Set, or remove, what stands at the end of the steps."""
    *way, last = [int(step) if step.isdigit() else step for step in steps]
    for step in way:
        config = config.setdefault(step, {}) if isinstance(config, dict) else config[step]
    if value is GONE:
        del config[last]
    else:
        config[last] = value


def several(**services: object) -> dict[str, Any]:
    """Change the walkthrough into a stack of several services, of a shop and its cart unless told."""
    of_one = dict.fromkeys(("app", "versions", "weights", "gateway"), GONE)
    return {**of_one, "services": deepcopy(services or {"shop": SHOP, "cart": CART})}


def stack(**changes: object) -> Stack:
    """Parse the changed walkthrough."""
    return parse(with_changes(**changes))


def issues(**changes: object) -> tuple[Issue, ...]:
    """Parse the changed walkthrough and return what is wrong with it."""
    try:
        stack(**changes)
    except ConfigError as error:
        return error.issues
    return ()
