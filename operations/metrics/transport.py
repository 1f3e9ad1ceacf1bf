"""Connect to Prometheus at a URL, or as a Service of the cluster through the API server.

The API server needs no exposed port and only the credentials of the kubeconfig, with the permission to `get`
the Service's `services/proxy`.
"""

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import httpx
from kubernetes.config import ConfigException

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.metrics.errors import PrometheusUnreachable, WrongPrometheusAddress

SECONDS: Final = 10.0
"""Time limit of one answer. Prometheus' own limit of a query is two minutes, too long for a canary."""
NO_PORT: Final = "no service port"
"""The API server's message, with status 503, if the Service exists and does not have the port."""
SETTING: Final = "metrics.prometheus in the stack file: a URL, or NAMESPACE/SERVICE:PORT"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP response."""

    status: int
    text: str


class Transport(Protocol):
    """A connection to one Prometheus."""

    @property
    def address(self) -> str:
        """Its address, for messages."""

    def get(self, path: str, parameters: Mapping[str, str]) -> Reply:
        """GET a path below it.

        Raises:
            PrometheusUnreachable: no answer.
            WrongPrometheusAddress: there is no such host or Service.
        """


def reach(address: str, cluster: Cluster) -> Transport:
    """Choose the transport by the format of the address."""
    return AtUrl(address) if "://" in address else InCluster(address, cluster)


@dataclass(frozen=True)
class AtUrl:
    """Prometheus at a URL."""

    address: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=SECONDS))

    def get(self, path: str, parameters: Mapping[str, str]) -> Reply:
        """GET a path below the URL."""
        try:
            return self._reply(f"{self.address.rstrip('/')}/{path}", parameters)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            # A connection that the server closes, as when it restarts, does not mean a wrong address.
            wrong = isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError)
            if wrong or any(isinstance(each, socket.gaierror | ssl.SSLError) for each in _causes(error)):
                raise WrongPrometheusAddress(
                    f"no Prometheus at {self.address}", evidence=str(error), fix=f"correct {SETTING}"
                ) from error
            raise PrometheusUnreachable(
                f"Prometheus at {self.address} does not answer",
                evidence=str(error) or type(error).__name__,
                fix=f"check why it is down, or correct {SETTING}",
            ) from error

    def _reply(self, url: str, parameters: Mapping[str, str]) -> Reply:
        """Read an answer within the time limit; that of httpx applies to each part of it."""
        ends = time.monotonic() + SECONDS
        with self.client.stream("GET", url, params=dict(parameters)) as answer:
            parts = bytearray()
            for part in answer.iter_bytes():
                parts += part
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout(f"the answer is not complete after {SECONDS:g} s")
        return Reply(status=answer.status_code, text=parts.decode(errors="replace"))


@dataclass(frozen=True)
class InCluster:
    """Prometheus as a Service, `NAMESPACE/NAME:PORT`, through the API server of a cluster."""

    address: str
    cluster: Cluster

    def get(self, path: str, parameters: Mapping[str, str]) -> Reply:
        """GET a path of the Service."""
        namespace, _, service = self.address.partition("/")
        where = f"/api/v1/namespaces/{namespace}/services/{service}/proxy/{path}"
        try:
            status, text = self.cluster.get(where, parameters, seconds=SECONDS)
        except OperationError as error:
            no_context = isinstance(error.__cause__, ConfigException)
            kind = WrongPrometheusAddress if no_context else PrometheusUnreachable
            raise kind(error.what, evidence=error.evidence, fix=error.fix) from error
        # Answers of the API server itself have a kind, those of Prometheus have none.
        of_api_server = '"kind":"Status"' in text.replace(" ", "")
        absent = status == httpx.codes.NOT_FOUND or NO_PORT in text
        if of_api_server and absent:
            raise WrongPrometheusAddress(
                f"no Service {self.address} in the cluster of context {self.cluster.context}",
                evidence=text.strip(),
                fix=f"kubectl --context {self.cluster.context} get services -A, then correct {SETTING}",
            )
        return Reply(status=status, text=text)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
