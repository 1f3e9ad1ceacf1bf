"""Why there is no figure. Each cause is a type of its own: a canary waits for some and stops at others."""

from operations.errors import OperationError


class MetricsError(OperationError):
    """A figure cannot be told. No figure is bad because of it."""


class PrometheusUnreachable(MetricsError):
    """Nobody answers where Prometheus should, or it answers that it cannot just now. It may come back."""


class WrongPrometheusAddress(MetricsError):
    """There is no such host or Service, or what answers there is not Prometheus. It will not mend itself."""


class QueryRejected(MetricsError):
    """Prometheus does not take the query, or does not let us ask."""


class NoData(MetricsError):
    """Prometheus has no sample for the query: nothing was measured, as without traffic."""


class InvalidSample(MetricsError):
    """The answer is no figure that this query can mean: several series, an infinite or negative number."""
