"""Configurations drawn from the whole schema, and the objects that the real program makes of them."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from components.manifests.listeners import entry_points
from components.model.stack import Common, Stack
from components.resources.cluster_pin import WITNESS
from components.schema.issues import PROJECT, Issue
from components.schema.type_hints import keys_of
from components.settings.errors import ConfigError
from components.settings.load import parse
from tests.drawn import stack_files
from tests.program.recorder import run

EXAMPLES: Final = int(os.environ.get("ACCEPTED_EXAMPLES", "300"))
SEED: Final = int(os.environ.get("ACCEPTED_SEED", "1"))
PARTS: Final = 2
"""Drawn side by side, by seeds of their own: always as many, so that they are the same ones everywhere."""

Config = dict[str, Any]
Manifest = dict[str, Any]

OF_ONE: Final = tuple(keys_of(Common))
"""Keys that the services of a stack have in common."""

MENDED_BY_LEAVING_OUT: Final = frozenset(
    {
        *("MESH002", "MESH010", "MESH014", "MESH160", "MESH161"),
        *("MESH226", "MESH229", "MESH231", "MESH232"),
        *("MESH170", "MESH171", "MESH172", "MESH190", "MESH191", "MESH192"),
    }
)
"""What has no words in the Gateway API, what no proxy enforces, no canary keeps, and what is left of it."""
LONGEST_NAME: Final = 20
"""Names of apps and versions are put together: longer ones hardly ever fit."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An accepted configuration with what is applied for it."""

    number: int
    config: Config
    stack: Stack
    objects: tuple[Manifest, ...]

    @property
    def ports(self) -> set[int]:
        """The ports at which users arrive: the cluster's own Service of the ingress has them."""
        return {way.port for path, each in self.stack.placed.items() for way in entry_points(each, path)}

    def __str__(self) -> str:
        """Show the configuration, to be run again."""
        return f"configuration {self.number} of seed {SEED}: {json.dumps(self.config, ensure_ascii=False)}"


@dataclass(kw_only=True)
class Drawn:
    """All configurations of a run."""

    cases: list[Case] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """How often each code stood in the way: drawn by chance, broken by chance."""

    @property
    def acceptance(self) -> float:
        """The share that validation accepts."""
        return len(self.cases) / (len(self.cases) + sum(self.refused.values()))


def draw() -> Drawn:
    """Draw until there are enough; the same seed gives the same ones everywhere."""
    with ProcessPoolExecutor(PARTS, mp_context=get_context("spawn")) as processes:
        drawn = Drawn()
        for part in processes.map(_part, range(PARTS)):
            drawn.cases += part.cases
            drawn.refused += part.refused
    return drawn


def _part(nth: int) -> Drawn:
    drawn = Drawn()

    # Nothing can fail while they are collected, so there is nothing to shrink. A whole stack file is large
    # and takes a tenth of a second with its objects, which is the point: these two checks are off.
    @seed(SEED * PARTS + nth)
    @settings(
        max_examples=EXAMPLES // PARTS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(_configs())
    def collect(config: Config) -> None:
        number = nth * EXAMPLES + len(drawn.cases)
        config = _apart(config, number)
        if found := issues(config):
            drawn.refused[found[0].code] += 1
            return
        stack = parse(config)
        drawn.cases.append(Case(number=number, config=config, stack=stack, objects=_objects(config, stack)))

    collect()
    return drawn


def issues(config: Mapping[str, object]) -> tuple[Issue, ...]:
    """Ask validation."""
    try:
        parse(config)
    except ConfigError as error:
        return error.issues
    return ()


@st.composite
def _configs(draw: st.DrawFn) -> Config:
    config, form = draw(stack_files()), draw(st.sampled_from(["one", "one", "one", "several", "gateway-api"]))
    name = config["mesh-app:app"]["name"]
    config["mesh-app:app"]["name"] = name[:LONGEST_NAME].rstrip("-")
    if form == "several":
        return _consistent(_several(config, draw(stack_files())))
    return _consistent(_by_gateway_api(config) if form == "gateway-api" else config)


def _by_gateway_api(config: Config) -> Config:
    """Turn the switch. A listener with a certificate has one host there."""
    for listener in _listeners(config.get("mesh-app:gateway", {})):
        if "tls" in listener and "hosts" in listener:
            listener["hosts"] = listener["hosts"][:1]
    return {**config, "mesh-app:api": "gateway-api"}


def _several(one: Config, other: Config) -> Config:
    """Make two stacks of one service into one stack of two."""
    services: dict[str, Config] = {}
    for config in (one, other):
        own = {key.partition(":")[2]: value for key, value in config.items()}
        entry = {key: value for key, value in own.items() if key not in (*OF_ONE, "context")}
        name = entry["app"].pop("name") if "name" in entry["app"] else "shop"
        services[name] = entry
    common = {key: value for key, value in one.items() if key.partition(":")[2] in (*OF_ONE, "context")}
    return {**common, f"{PROJECT}:services": services}


def _apart(config: Config, number: int) -> Config:
    """Keep configurations out of each other's way in one analysis: hosts, and gateways, of their own."""
    config = deepcopy(config)
    ingress = config.setdefault(f"{PROJECT}:ingress", {})
    ingress["selector"] = {**ingress.get("selector", {"istio": "ingressgateway"}), "case": str(number)}
    if gateway := config.get(f"{PROJECT}:gateway"):
        _rename(gateway, str(number), always=False)
    for name, service in config.get(f"{PROJECT}:services", {}).items():
        if service.get("mesh") != "only":
            _rename(service.setdefault("gateway", {}), f"{number}-{name}", always=True)
    return config


def _rename(gateway: Config, token: str, *, always: bool) -> None:
    """Give the hosts of a gateway names of their own, also those of `*` where they are not the only ones."""
    for nth, listener in enumerate(_listeners(gateway)):
        if always or "*" not in listener.get("hosts", ["*"]):
            count = 2 if always else len(listener["hosts"])
            listener["hosts"] = [f"shop-{nth}.{token}.example.com", f"*.shop-{nth}.{token}.test"][:count]
    if "existing" in gateway:
        gateway["existing"] = f"shared-{token}/gateway"


def _listeners(gateway: Config) -> list[Config]:
    return [gateway, *gateway.get("listeners", [])]


def _consistent(config: Config) -> Config:
    """Leave out what validation refuses beside the rest, as long as there is something to leave out."""
    config, before = deepcopy(config), None
    while config != before and (
        found := [fault for fault in issues(config) if fault.code in MENDED_BY_LEAVING_OUT]
    ):
        before = deepcopy(config)
        first, *steps = found[0].path.parts
        # A key that is missing is mended by leaving out what misses it.
        steps = steps[:-1] if found[0].code == "MESH002" else steps
        _leave_out(config, [f"{PROJECT}:{first}", *steps])
    return config


def _leave_out(place: Any, steps: list[str | int]) -> None:  # noqa: ANN401 (nested plain data)
    *way, last = steps
    for step in way:
        place = place[step]
    if last in place or isinstance(last, int):
        del place[last]


def _objects(config: Config, stack: Stack) -> tuple[Manifest, ...]:
    """Run the program on a cluster in which the ingress has the ports that the configuration counts on."""
    every = {way.port for path, each in stack.placed.items() for way in entry_points(each, path)}
    ports = [{"port": port, "nodePort": 31380} for port in sorted(every)]
    there = {
        "spec": {"type": "NodePort", "ports": ports},
        "status": {
            "loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]},
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        },
    }
    read = (stack.ingress.service, stack.ingress.node or "")
    existing: dict[str, Mapping[str, Any]] = {
        **dict.fromkeys(read, there),
        WITNESS: {"metadata": {"uid": stack.cluster_uid}},
    }
    return tuple(
        _plain(each.inputs)
        for each in run(config, existing=existing).resources
        if each.custom and not each.read and each.type.startswith("kubernetes:")
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 (nested plain data)
    """Undo what the way to the engine does to whole numbers."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
