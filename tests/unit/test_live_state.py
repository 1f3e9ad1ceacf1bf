"""What stands of a service, read from Deployments and routes as kubectl lists them."""

import datetime as dt

import pytest

from components.manifests import deployment as workload
from components.rollout.live_state import RECENT_SECONDS, LiveVersions, live_versions, without_proxy
from tests.unit.stacks import stack

APP = stack().services[0].app
NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)


def listed(kind: str, app: str = APP.name, *, age: float = 0, **more: str) -> dict[str, object]:
    """An object with the labels of a service, written so many seconds ago."""
    time = (NOW - dt.timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {"app": app, **({"version": more.pop("version")} if "version" in more else {})}
    return {"kind": kind, "metadata": {"labels": labels, "managedFields": [{"time": time, **more}]}}


def test_the_versions_are_those_of_its_own_deployments() -> None:
    """Another service in the namespace has versions of its own."""
    objects = [
        listed("Deployment", version="v1"),
        listed("Deployment", version="v3"),
        listed("Deployment", "other", version="v9"),
        listed("VirtualService", age=RECENT_SECONDS),
    ]
    assert live_versions(objects, APP, NOW) == LiveVersions(versions=frozenset({"v1", "v3"}), recent=False)


@pytest.mark.parametrize(("age", "recent"), [(0, True), (-30, True), (59, True), (61, False), (3600, False)])
@pytest.mark.parametrize("kind", ["VirtualService", "HTTPRoute"])
def test_routes_are_recent_for_a_minute(kind: str, age: float, recent: bool) -> None:
    """The cluster's clock may be ahead of the machine's."""
    assert live_versions([listed(kind, age=age)], APP, NOW).recent is recent


def test_what_istiod_says_of_routes_does_not_make_them_new() -> None:
    """It writes their status whenever it likes."""
    assert not live_versions([listed("VirtualService", subresource="status")], APP, NOW).recent


@pytest.mark.parametrize(
    ("injection", "sidecar", "proxied"),
    [
        ("enabled", None, True),
        ("enabled", False, False),
        ({"revision": "1-31"}, None, True),
        ("ambient", None, True),
        ("disabled", None, False),
        ("manual", None, False),
        ("manual", True, True),
    ],
)
def test_a_live_deployment_tells_whether_its_pods_have_proxies(
    injection: object, sidecar: bool | None, proxied: bool
) -> None:
    """By what the program itself writes into it, for any injection."""
    own = {} if sidecar is None else {"versions__v1__sidecar": sidecar}
    read = stack(namespace={"name": "demo", "injection": injection}, mesh=injection != "ambient", **own)
    spec = workload.deployment(read.services[0], "v1", read.namespace)
    deployment = {"kind": "Deployment", "metadata": {"name": "a-v1", "labels": {"app": "a"}}, "spec": spec}
    assert without_proxy([deployment, listed("VirtualService", "a")], APP) == ([] if proxied else ["a-v1"])
    itself = {**deployment, "metadata": {"name": "x", "labels": {"app": APP.name}}}
    assert without_proxy([itself], APP) == []
