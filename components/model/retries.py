"""Retries of failed requests."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.http_types import GoDuration
from components.schema.constraints import Distinct, Example, Range

RetryOn = Literal[
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx",
    "refused-stream", "retriable-status-codes", "retriable-headers", "envoy-ratelimited",
    "http3-post-connect-failure",
    "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    "408", "409", "425", "429", "500", "502", "503", "504",
]  # fmt: skip
"""The conditions that Istio accepts (pkg/config/validation, supportedRetryOnPolicies), and status codes."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Retries of failed requests. Without this key, Istio retries twice."""

    attempts: Annotated[int, Range(0, 100), Example(2)]
    """The maximal number of retries. 0: none."""

    per_try_timeout: GoDuration | None = None
    """The timeout of each try; that of the whole request where absent."""

    retry_on: Annotated[tuple[RetryOn, ...], Distinct()] = ()
    """The failures to retry; Istio's defaults where absent. Those before the app gets a request are safe."""
