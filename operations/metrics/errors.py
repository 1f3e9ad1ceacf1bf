"""Errors of metrics, one type for each cause: a canary waits after some and stops after others."""

from operations.errors import OperationError


class MetricsError(OperationError):
    """A metric could not be read, which does not mean that it is bad."""


class PrometheusUnreachable(MetricsError):
    """Prometheus does not answer, or reports that it is unavailable. This may be temporary."""


class WrongPrometheusAddress(MetricsError):
    """There is no such host or Service, or the server there is not Prometheus. Waiting does not help."""


class QueryRejected(MetricsError):
    """Prometheus rejects the query, or denies access."""


class NoData(MetricsError):
    """Prometheus has no sample for the query, as without traffic."""


class InvalidSample(MetricsError):
    """The answer is not one valid number: several series, or an infinite or negative value."""
