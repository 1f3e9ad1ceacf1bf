"""Whether a failed request is tried again."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.text import GoDuration
from components.schema.constraints import Distinct, Example, Range

RetryOn = Literal[
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx",
    "refused-stream", "retriable-status-codes", "retriable-headers", "envoy-ratelimited",
    "http3-post-connect-failure",
    "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    "408", "409", "425", "429", "500", "502", "503", "504",
]  # fmt: skip
"""What Istio's webhook takes: pkg/config/validation, supportedRetryOnPolicies, and status codes worth it."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Whether a failed request is tried again. Where a route says nothing, Istio tries twice."""

    attempts: Annotated[int, Range(0, 100), Example(2)]
    """How often at most, after the first time. 0: never."""

    per_try_timeout: GoDuration | None = None
    """How long each try may take; the timeout of the whole request where absent."""

    retry_on: Annotated[tuple[RetryOn, ...], Distinct()] = ()
    """After which failures; Istio's choice where absent. Safe for any request: what never reached the app."""
