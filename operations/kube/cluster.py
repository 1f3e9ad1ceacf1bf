"""The cluster of a kubeconfig context, through its API."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ResourceNotFoundError,
    UnprocessibleEntityError,
)
from urllib3.exceptions import HTTPError
from yaml import YAMLError

from operations.errors import OperationError
from operations.kube.discovery import Kinds
from operations.kube.manifests import Manifest

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SERVERS_OWN = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
"""Metadata that the API server writes."""

RETRIES = 1
TIMEOUT_SECONDS = (5, 60)
"""To connect, and to answer: an unreachable cluster is reported in seconds."""


class _TimeLimitedClient(ApiClient):
    """Has a time limit for every request."""

    def call_api(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 (the library is untyped)
        """Send one request."""
        asked = options.pop("_request_timeout", None)
        return super().call_api(  # type: ignore[misc]
            *args, **options, _request_timeout=asked or TIMEOUT_SECONDS
        )


class Cluster:
    """Reads, changes and deletes objects of any kind."""

    def __init__(self, context: str) -> None:
        self.context = context

    def find(self, manifest: Manifest) -> Manifest | None:
        """Read the live object of the same kind, name and namespace; None if there is none."""
        found = self.read(manifest)
        return as_stored(found) if found else None

    def read(self, manifest: Manifest) -> Manifest | None:
        """Read it with the metadata and the status that the API server writes."""
        metadata = manifest["metadata"]
        try:
            with self._reporting(f"{manifest['kind']} {metadata['name']}"):
                kind = self._kind(manifest["apiVersion"], manifest["kind"])
                found = kind.get(name=metadata["name"], namespace=metadata.get("namespace"))
        except (NotFoundError, ResourceNotFoundError):
            return None
        live: Manifest = found.to_dict()
        return live

    def serves(self, api_version: str, kind: str) -> bool:
        """Return whether the cluster serves a kind."""
        try:
            with self._reporting(f"{kind} of {api_version}"):
                self._kind(api_version, kind)
        except ResourceNotFoundError:
            return False
        return True

    def every(
        self, api_version: str, kind: str, namespace: str | None = None, selector: str = ""
    ) -> list[Manifest]:
        """List the objects of a kind; none if the cluster does not serve it."""
        return [as_stored(each) for each in self.whole(api_version, kind, namespace, selector)]

    def whole(
        self, api_version: str, kind: str, namespace: str | None = None, selector: str = ""
    ) -> list[Manifest]:
        """List the objects of a kind with the metadata and the status that the API server writes."""
        try:
            with self._reporting(f"{kind} in {namespace or 'every namespace'}"):
                found = self._kind(api_version, kind).get(namespace=namespace, label_selector=selector)
        except ResourceNotFoundError:
            return []
        # Entries of a list have no kind.
        return [{"apiVersion": api_version, "kind": kind, **each} for each in found.to_dict()["items"]]

    def status(self, api_version: str, kind: str, name: str, namespace: str) -> dict[str, Any]:
        """Read the status of an object.

        Raises:
            OperationError: there is no such object.
        """
        try:
            with self._reporting(f"{kind} {name}"):
                found = self._kind(api_version, kind).get(name=name, namespace=namespace)
        except (NotFoundError, ResourceNotFoundError) as error:
            raise OperationError(
                f"no {kind} {name} in namespace {namespace} of context {self.context}",
                fix=f"list them: kubectl --context {self.context} get {kind.lower()} --all-namespaces",
            ) from error
        status: dict[str, Any] = found.to_dict().get("status") or {}
        return status

    def get(self, path: str, parameters: Mapping[str, str], *, seconds: float) -> tuple[int, str]:
        """GET a path of the API server; returns the HTTP status and the body, whatever they are.

        Raises:
            OperationError: no API server answers within this time.
        """
        with self._reporting(path):
            try:
                answer = self._client.request(
                    "get",
                    path,
                    query_params=list(parameters.items()),
                    serialize=False,
                    _request_timeout=seconds,
                )
            except ApiException as error:
                return error.status, str(error.body)
            return answer.status, answer.data.decode(errors="replace")

    def patch(self, manifest: Manifest, change: Manifest) -> None:
        """Merge a change into an object as kubectl: Pulumi takes over fields that kubectl wrote."""
        metadata = manifest["metadata"]
        with self._reporting(f"{manifest['kind']} {metadata['name']}"):
            self._kind(manifest["apiVersion"], manifest["kind"]).patch(
                body=change,
                name=metadata["name"],
                namespace=metadata.get("namespace"),
                content_type="application/merge-patch+json",
                field_manager="kubectl-adopt",
            )

    def replace(self, manifest: Manifest, manager: str) -> Manifest:
        """Replace the live object of the same resourceVersion; returns the result.

        Raises:
            ConflictError: it has changed since it was read.
            UnprocessibleEntityError: a field of it cannot be changed.
        """
        metadata = manifest["metadata"]
        with self._reporting(
            f"{manifest['kind']} {metadata['name']}", but=(ConflictError, UnprocessibleEntityError)
        ):
            kind = self._kind(manifest["apiVersion"], manifest["kind"])
            became: Manifest = kind.replace(
                body=manifest, namespace=metadata.get("namespace"), field_manager=manager
            ).to_dict()
            return became

    def apply(self, manifest: Manifest, manager: str) -> Manifest:
        """Apply an object server-side and own all its fields; returns the result."""
        metadata = manifest["metadata"]
        with self._reporting(f"{manifest['kind']} {metadata['name']}"):
            became: Manifest = (
                self._kind(manifest["apiVersion"], manifest["kind"])
                .server_side_apply(
                    body=manifest,
                    name=metadata["name"],
                    namespace=metadata.get("namespace"),
                    field_manager=manager,
                    force_conflicts=True,
                )
                .to_dict()
            )
            return became

    def patch_status(self, manifest: Manifest, change: Manifest) -> None:
        """Change the status of an object; do nothing if it does not exist."""
        metadata = manifest["metadata"]
        try:
            with self._reporting(f"the status of {manifest['kind']} {metadata['name']}"):
                kind = self._kind(manifest["apiVersion"], manifest["kind"])
                kind.status.patch(
                    body=change,
                    name=metadata["name"],
                    namespace=metadata.get("namespace"),
                    content_type="application/strategic-merge-patch+json",
                )
        except NotFoundError:
            return

    def delete(self, manifest: Manifest, *, and_what_it_owns: bool = True) -> None:
        """Delete an object; do nothing if it does not exist."""
        metadata = manifest["metadata"]
        try:
            with self._reporting(f"{manifest['kind']} {metadata['name']}"):
                kind = self._kind(manifest["apiVersion"], manifest["kind"])
                policy = "Background" if and_what_it_owns else "Orphan"
                options = {"propagationPolicy": policy}
                kind.delete(name=metadata["name"], namespace=metadata.get("namespace"), body=options)
        except (NotFoundError, ResourceNotFoundError):
            return

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 (the library is untyped)
        settings = Configuration()
        try:
            config.load_kube_config(context=self.context, client_configuration=settings)  # type: ignore[no-untyped-call]
        except (TypeError, AttributeError, KeyError) as error:  # of YAML that is no kubeconfig
            raise ConfigException(f"this is not a kubeconfig: {error}") from error
        settings.retries = RETRIES
        return DynamicClient(_TimeLimitedClient(settings), discoverer=Kinds)  # type: ignore[no-untyped-call]

    def _kind(self, api_version: str, kind: str) -> Any:  # noqa: ANN401 (the library is untyped)
        return self._client.resources.get(api_version=api_version, kind=kind)

    @contextmanager
    def _reporting(self, what: str, but: tuple[Any, ...] = ()) -> Iterator[None]:
        try:
            yield
        except (NotFoundError, ResourceNotFoundError, *but):
            raise
        except (ConfigException, YAMLError) as error:
            raise OperationError(
                f"no kubeconfig context {self.context}",
                evidence=str(error),
                fix="kubectl config get-contexts, then: --context NAME",
            ) from error
        except ForbiddenError as error:
            raise OperationError(
                f"{what}: forbidden for the user of context {self.context}",
                evidence=_reason(error),
                fix="grant the permission to the user, see kubectl --context "
                f"{self.context} auth whoami; docs/drift/cronjob.yaml lists what a check reads",
            ) from error
        except (HTTPError, ApiException) as error:
            raise OperationError(
                f"{what}: the cluster of context {self.context} returned an error or no answer",
                evidence=_reason(error),
                fix=f"kubectl --context {self.context} get nodes",
            ) from error


def _reason(error: HTTPError | ApiException) -> str:
    """Return the message of the API server, or else the whole answer."""
    body = str(getattr(error, "body", None) or error).strip()
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body


def as_stored(live: Manifest) -> Manifest:
    """Return a live object without the fields that the API server writes."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVERS_OWN}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}


def same_object(one: Manifest, other: Manifest) -> bool:
    """Return whether two manifests are of one object; the versions of their API may differ."""
    return _identity(one) == _identity(other)


def spelled(manifest: Manifest) -> str:
    """Return the kind and name of an object."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def named(manifest: Manifest) -> str:
    """Return the kind, namespace and name of an object."""
    place = manifest["metadata"].get("namespace")
    return f"{manifest['kind']} {place}/{manifest['metadata']['name']}" if place else spelled(manifest)


def in_kind(objects: Sequence[Manifest], kind: str) -> list[Manifest]:
    """Return the objects of a kind."""
    return [each for each in objects if each["kind"] == kind]


def _identity(manifest: Manifest) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    group = manifest["apiVersion"].rpartition("/")[0]
    return f"{manifest['kind']}.{group}", metadata.get("namespace", ""), metadata["name"]
