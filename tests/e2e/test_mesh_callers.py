"""Callers inside the mesh follow the weights, by both APIs; a stack that lacks it gets it without a loss."""

import time

import httpx

from tests.e2e.conftest import MakeStack
from tests.e2e.stream import Stream
from tests.e2e.traffic import ask_inside, ask_until

NAMESPACE = "e2e-callers"
HOST = "callers.example.com"
ROOT = "http://127.0.0.1:31380"
SERVICE = f"springbootapp.{NAMESPACE}.svc:8080"
APP = {"name": "springbootapp", "image": "xjk27400861/springbootapp", "port": 8080, "probe": "/healthz"}
REQUESTS = 200
AROUND_SECONDS = 2
"""For how long requests go on before and after an update."""


def test_a_stack_whose_callers_go_by_pods_gets_the_weights_without_a_lost_request(
    new_stack: MakeStack,
) -> None:
    """The preview shows one changed object; before it v2 answers at weight 0, and after it never again."""
    stack = new_stack(
        NAMESPACE,
        namespace={"name": NAMESPACE},
        app=APP,
        versions={"v1": {"tag": "42"}, "v2": {"tag": "43"}},
        weights={"v1": 100, "v2": 0},
        gateway={"hosts": [HOST]},
        ingress={"address": "127.0.0.1"},
        routes=[{"name": "api", "uri": {"prefix": "/api"}, "rewrite": {"uri": "/"}}],
        mesh=False,
    )
    stack.up()
    assert ask_until(f"{ROOT}/hello", 5, lambda seen: seen == {"v1": 5}, host=HOST) == {"v1": 5}
    # The app has `/healthz`; with `//healthz` it would send the client elsewhere.
    moved = httpx.get(f"{ROOT}/api/healthz", headers={"host": HOST}, trust_env=False)
    assert (moved.status_code, moved.text) == (200, "ok\n")
    assert ask_inside(ROOT, SERVICE, REQUESTS, host=HOST)["v2"] > REQUESTS / 10

    stack.configure(mesh=None)
    preview = stack.shell.json(f"pulumi preview --stack {stack.name} --json --non-interactive")
    changed = {each["urn"].rpartition(":")[2]: each["op"] for each in preview["steps"]}
    assert {name for name, op in changed.items() if op not in ("same", "read")} == {"springbootapp"}
    with Stream(f"{ROOT}/fetch?url=http://{SERVICE}/hello", host=HOST) as seen:
        time.sleep(AROUND_SECONDS)
        stack.up()
        time.sleep(AROUND_SECONDS)
    assert seen.failures == []
    assert ask_inside(ROOT, SERVICE, REQUESTS, host=HOST) == {"v1": REQUESTS}

    stack.configure(api="gateway-api", routes=None)
    stack.up()
    assert ask_until(f"{ROOT}/hello", 5, lambda seen: seen == {"v1": 5}, host=HOST) == {"v1": 5}
    assert ask_inside(ROOT, SERVICE, REQUESTS, host=HOST) == {"v1": REQUESTS}
