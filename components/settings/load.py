"""Reads the stack's configuration: returns a valid `Stack`, or raises one error with all issues."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from pulumi.runtime import config as pulumi_config

from components.model.stack import Cluster, ServicesFile, Stack, StackFile
from components.rules import violations
from components.schema.decode import decode
from components.schema.issues import PROJECT, Path
from components.schema.messages import SECRET_VALUE, UNKNOWN_CONTEXT
from components.schema.type_hints import keys_of
from components.settings import kubeconfig, layout
from components.settings.errors import ConfigError

KNOWN: Final = {key for file in (StackFile, ServicesFile) for key in keys_of(file)}
"""The keys that a stack file may have at its top."""


def read() -> Stack:
    """Read the configuration of the stack that Pulumi runs."""
    # pulumi.Config returns one key at a time, so unknown keys would be ignored.
    stored = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    secret = [key for key in stored if pulumi_config.is_config_secret(key)]
    plain = {key: _plain(key, text) for key, text in stored.items()}
    return parse(plain, secret=secret, contexts=kubeconfig.contexts())


def parse(
    config: Mapping[str, object], *, secret: Sequence[str] = (), contexts: Collection[str] | None = None
) -> Stack:
    """Return the Stack of a configuration with whole keys (`mesh-app:weights`) and plain values.

    Args:
        config: the keys of the stack file with their values.
        secret: those of them that Pulumi encrypts.
        contexts: the contexts of the kubeconfig; None if they are unknown.

    Raises:
        ConfigError: the configuration is invalid; it holds every issue.
    """
    own = _within(PROJECT, config)
    common, placed, issues = layout.read(own)
    cluster, cluster_issues = decode(Cluster, _within("kubernetes", config), Path("kubernetes"))
    stack = Stack(
        cluster=cluster,
        namespace=common.namespace,
        ingress=common.ingress,
        placed=placed,
        api=common.api,
        cluster_uid=common.cluster_uid,
        protected=common.protected,
        handover=common.handover,
    )
    exposed = [
        SECRET_VALUE.at(Path() / key, "[secret]") for key in _within(PROJECT, dict.fromkeys(secret, "x"))
    ]
    context = config.get("kubernetes:context")
    if isinstance(context, str) and contexts is not None and context not in contexts:
        known = ", ".join(sorted(contexts)) or "none"
        cluster_issues.append(UNKNOWN_CONTEXT.at(Path("kubernetes") / "context", context, known=known))
    found = [*exposed, *issues, *cluster_issues]
    found += violations(stack, Path(), decoded=not found)
    if found:
        raise ConfigError(found)
    return stack


def _within(namespace: str, config: Mapping[str, object]) -> dict[str, object]:
    """Select the keys of one config namespace, without known keys that are empty: Pulumi.yaml's defaults."""
    prefix = f"{namespace}:"
    own = {key[len(prefix) :]: v for key, v in config.items() if key.startswith(prefix)}
    return {key: v for key, v in own.items() if key not in KNOWN or v not in ({}, [], None)}


def _plain(key: str, text: str) -> object:
    """Decode the JSON in which Pulumi passes objects. Only the project's own keys hold objects."""
    if not key.startswith(f"{PROJECT}:"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
