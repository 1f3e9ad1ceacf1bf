"""The kinds that a cluster serves, queried by API version.

The dynamic client's own discovery treats an invalid answer as a missing kind, loses kinds when several
threads query at once, and writes a temporary file. Here, an empty list means that there is no object.
"""

import json
from threading import Lock
from typing import Any

from kubernetes.dynamic.exceptions import NotFoundError, ResourceNotFoundError
from kubernetes.dynamic.resource import Resource

from operations.errors import OperationError

CORE = "v1"
"""An API version that every API server serves."""


class Kinds:
    """Finds the address of a kind for the dynamic client.

    Args:
        client: the dynamic client.
        _: the cache file of its own discovery.
    """

    def __init__(self, client: Any, _: str | None) -> None:  # noqa: ANN401 (the library is untyped)
        self._client = client
        self._lock = Lock()
        self._served: dict[str, dict[str, Any]] = {}

    def get(self, *, api_version: str, kind: str) -> Any:  # noqa: ANN401 (the library is untyped)
        """Find a kind.

        Raises:
            ResourceNotFoundError: the cluster does not serve it.
            OperationError: the answer is not of an API server.
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
                raise self._not_an_api_server(str(error.body)) from error
            return {}
        except (ValueError, KeyError, TypeError) as error:
            raise self._not_an_api_server(repr(error)) from error
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

    def _not_an_api_server(self, answer: str) -> OperationError:
        host = self._client.configuration.host
        return OperationError(
            f"the server at {host} is not a Kubernetes API server",
            evidence=answer.strip(),
            fix="name the context of the right cluster: kubectl config get-contexts",
        )
