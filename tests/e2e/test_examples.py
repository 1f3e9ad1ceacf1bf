"""The stack files of `examples/`, each deployed on the lab and asked for answers."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import CHECKOUT, MakeStack
from tests.e2e.traffic import ask, ask_until

EXAMPLES = sorted((CHECKOUT / "examples").glob("*.yaml"))
REQUESTS = 60


def _expected_versions(config: dict[str, Any]) -> set[str]:
    """The versions that answer at the example's first host: those with weight."""
    services = config.get("mesh-app:services") or {"": {"weights": config.get("mesh-app:weights")}}
    weights: dict[str, int] = next(iter(services.values()))["weights"]
    return {version for version, weight in weights.items() if weight}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_is_deployed_and_its_weights_hold(example: Path, new_stack: MakeStack) -> None:
    """`pulumi up` of the example as it is; every request is answered by a version that has weight."""
    config = yaml.safe_load(example.read_text())["config"]
    stack = new_stack(
        example.stem,
        **{key.removeprefix("mesh-app:"): value for key, value in config.items() if "mesh-app:" in key},
    )
    stack.up()
    urls = json.loads(stack.pulumi("stack output --json").stdout)["url"]
    url = urls if isinstance(urls, str) else next(iter(urls.values()))
    gateways = config.get("mesh-app:services") or {"": {"gateway": config["mesh-app:gateway"]}}
    (host,) = next(iter(gateways.values()))["gateway"]["hosts"]
    wanted = _expected_versions(config)
    answers = ask_until(url, REQUESTS, lambda seen: set(seen) <= wanted, host=host)
    assert sum(answers.values()) == REQUESTS
    assert set(answers) <= wanted
    if example.stem == "2-header-preview":
        assert ask(url, REQUESTS, host=host, **{"x-user-group": "insider"}) == {"v2": REQUESTS}
