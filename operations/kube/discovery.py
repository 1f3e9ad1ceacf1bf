"""The kinds that a cluster serves, asked for by API version.

The dynamic client's own discovery takes an answer that it cannot read for a kind that is not there, loses
kinds where several threads ask at once, and keeps a file among the machine's temporary ones. Whoever finds
nothing of a kind has to know that there is nothing.
"""

import json
from threading import Lock
from typing import Any

from kubernetes.dynamic.exceptions import NotFoundError, ResourceNotFoundError
from kubernetes.dynamic.resource import Resource

from operations.errors import OperationError

CORE = "v1"
"""What every API server serves."""


class Kinds:
    """What the dynamic client asks for the address of a kind.

    Args:
        client: the dynamic client.
        _: the file that its own discovery would keep.
    """

    def __init__(self, client: Any, _: str | None) -> None:  # noqa: ANN401 (the library is untyped)
        self._client = client
        self._lock = Lock()
        self._served: dict[str, dict[str, Any]] = {}

    def get(self, *, api_version: str, kind: str) -> Any:  # noqa: ANN401 (the library is untyped)
        """Find a kind.

        Raises:
            ResourceNotFoundError: the cluster does not serve it.
            OperationError: what answers is no API server.
        """
        with self._lock:
            if api_version not in self._served:
                self._served[api_version] = self._ask(api_version)
        found = self._served[api_version].get(kind)
        if found is None:
            raise ResourceNotFoundError(f"{kind} of {api_version}")
        return found

    def _ask(self, api_version: str) -> dict[str, Any]:
        group, _, version = api_version.rpartition("/")
        prefix = "apis" if group else "api"
        try:
            answer = self._client.request("GET", f"/{prefix}/{api_version}", serialize=False)
            listed = json.loads(answer.data)["resources"]
        except NotFoundError as error:
            if api_version == CORE:
                raise self._is_none(str(error.body)) from error
            return {}
        except (ValueError, KeyError, TypeError) as error:
            raise self._is_none(repr(error)) from error
        below: dict[str, dict[str, Any]] = {}
        for each in listed:
            name, _, part = each["name"].partition("/")
            if part:
                below.setdefault(name, {})[part] = each
        return {
            each["kind"]: Resource(  # type: ignore[no-untyped-call]
                prefix=prefix,
                group=group,
                api_version=version,
                client=self._client,
                subresources=below.get(each["name"]),
                **{key: each[key] for key in ("kind", "name", "namespaced", "verbs")},
            )
            for each in listed
            if "/" not in each["name"]
        }

    def _is_none(self, said: str) -> OperationError:
        host = self._client.configuration.host
        return OperationError(
            f"what answers at {host} is no Kubernetes API server",
            evidence=said.strip(),
            fix="name the context of the right cluster: kubectl config get-contexts",
        )
