"""No value that is probably a secret is in the output of operations."""

from typing import Any

import pytest

from operations.kube.fields import Item, Path
from operations.kube.redaction import without_secret_values

ENV = {"name": "DB_PASSWORD", "value": "hunter2"}
CONTAINER = Item(label="app", value={"name": "app"})
TO_ENV: Path = ("spec", "template", "spec", "containers", CONTAINER, "env")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*TO_ENV, Item(label="DB_PASSWORD", value=ENV), "value"), "hunter2"),
        ((*TO_ENV, Item(label=3, value=ENV), "value"), "hunter2"),  # two of one name: known by their places
        ((*TO_ENV, Item(label="DB_PASSWORD", value=ENV)), ENV),
        (TO_ENV, [ENV]),
        (TO_ENV[:-1], {"name": "app", "env": [ENV], "image": "shop:1"}),
        ((), {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"env": [ENV]}]}}}}),
        ((*TO_ENV, Item(label="URL", value={"name": "URL"}), "value"), "redis://:hunter2@cache:6379/0"),
        ((*TO_ENV[:-1], "args"), ["--verbose", "--db-password", "hunter2"]),
        ((*TO_ENV[:-1], "args"), ["--db-password=hunter2"]),
        ((*TO_ENV[:-1], "command", Item(label=2, value="")), "exec shop --token=hunter2"),
        (("metadata", "annotations", "example.com/api-key"), "hunter2"),
        (
            ("spec", "http", Item(label=0, value={}), "headers"),
            {"request": {"set": {"Authorization": "hunter2"}}},
        ),
        (("httpGet", "httpHeaders"), [{"name": "X-Api-Key", "value": "hunter2"}]),
    ],
)
def test_a_secret_is_hidden_wherever_it_is(path: Path, value: Any) -> None:  # noqa: ANN401
    """In a field, an item, a container, a whole object."""
    shown = str(without_secret_values(value, path))
    assert "hunter2" not in shown
    assert "(hidden)" in shown


@pytest.mark.parametrize(
    "value",
    [
        {"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]},
        {"env": [{"name": "LOG_LEVEL", "value": "info"}]},
        {"volumes": [{"name": "tls", "secret": {"secretName": "shop-tls"}}]},
        {"tokenExpirationSeconds": 3600, "automountServiceAccountToken": False, "credentialName": "shop"},
        {"args": ["--tls-key-file", "/etc/tls/key", "--config", "x"]},
        {"replicas": 3, "paused": None, "image": "team/shop:1@sha256:0123"},
    ],
)
def test_what_is_no_secret_stays(value: Any) -> None:  # noqa: ANN401
    """References to Secrets among it: they say where a secret is, not what it is."""
    assert without_secret_values(value) == value
