"""A client of Prometheus' HTTP API, with an error for each cause of failure."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from operations.metrics.errors import (
    InvalidSample,
    NoData,
    PrometheusUnreachable,
    QueryRejected,
    WrongPrometheusAddress,
)
from operations.metrics.transport import SETTING, Reply, Transport

DOWN: Final = {httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}
NOT_ALLOWED: Final = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
OVERLOADED: Final = {"timeout", "canceled", "unavailable", "internal"}
"""Error types of Prometheus for a valid query that it cannot answer now."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One series at one moment."""

    labels: Mapping[str, str]
    value: float
    """May be NaN or infinite, as the result of a division in PromQL."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series over time."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """Unix time in seconds and value, oldest first."""


@dataclass(frozen=True)
class Prometheus:
    """One Prometheus.

    Every method raises PrometheusUnreachable if it does not answer, WrongPrometheusAddress if something else
    answers, QueryRejected if the query is rejected or forbidden, and InvalidSample if the answer does not
    have the form that the query asks for.
    """

    transport: Transport

    def instant(self, query: str, *, at: float | None = None) -> tuple[Sample, ...]:
        """Query the value of each series at a Unix time in seconds, by default now.

        A scalar is returned as one sample without labels. An empty result is not an error.
        """
        kind, result = self._ask("query", query, {} if at is None else {"time": f"{at:.3f}"})
        if kind == "scalar":
            with _valid_response(query, result):
                return (Sample(labels={}, value=_number(result[1], query)),)
        if kind != "vector":
            raise InvalidSample(
                f"the query gives a {kind}, not one value for each series: {query}",
                fix="use an instant vector: a rate or a sum, not a range",
            )
        with _valid_response(query, result):
            samples = [
                Sample(labels=_labels(each["metric"]), value=_number(_value(each, query)[1], query))
                for each in result
            ]
        _are_distinct([each.labels for each in samples], query)
        return tuple(samples)

    def range(self, query: str, *, start: float, end: float, step: float) -> tuple[Series, ...]:
        """Query each series between two Unix times in seconds, every `step` seconds."""
        bounds = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        _, result = self._ask("query_range", query, bounds)
        with _valid_response(query, result):
            return tuple(
                Series(
                    labels=_labels(each["metric"]),
                    points=tuple((float(moment), _number(text, query)) for moment, text in each["values"]),
                )
                for each in result
            )

    def scalar(self, query: str, *, at: float | None = None) -> float:
        """Query one finite number.

        Raises:
            NoData: the result is empty, or NaN, which is 0 divided by 0.
            InvalidSample: the result has several series, or is infinite.
        """
        samples = self.instant(query, at=at)
        if len(samples) > 1:
            raise InvalidSample(
                f"the query gives {len(samples)} series, and one number is needed: {query}",
                fix="put sum(…) or max(…) around it",
            )
        if not samples or math.isnan(samples[0].value):
            raise NoData(
                f"Prometheus at {self.transport.address} has no data for: {query}",
                fix="check in Prometheus that the metric exists, and that there was traffic",
            )
        if math.isinf(samples[0].value):
            raise InvalidSample(
                f"the query gives {samples[0].value}: {query}",
                fix="change the query: it must not divide by 0",
            )
        return samples[0].value

    def _ask(self, path: str, query: str, bounds: Mapping[str, str]) -> tuple[str, Any]:
        reply = self.transport.get(f"api/v1/{path}", {"query": query, **bounds})
        answer = self._answer(reply)
        if answer.get("status") == "success":
            with _valid_response(query, reply.text):
                data = answer["data"]
                return str(data["resultType"]), data["result"]
        reason = str(answer.get("error", reply.text)).strip()
        if str(answer.get("errorType")) in OVERLOADED:
            raise PrometheusUnreachable(
                f"Prometheus at {self.transport.address} cannot answer now",
                evidence=reason,
                fix="read its log; a shorter window takes less time",
            )
        raise QueryRejected(
            f"Prometheus at {self.transport.address} rejects the query: {query}",
            evidence=reason,
            fix="correct the query in the stack file",
        )

    def _answer(self, reply: Reply) -> Mapping[str, Any]:
        """Read the answer, and check that it is one of Prometheus."""
        try:
            answer = json.loads(reply.text)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and answer.get("status") in ("success", "error"):
            return answer
        where, evidence = self.transport.address, _beginning(reply)
        if reply.status in DOWN:
            raise PrometheusUnreachable(
                f"Prometheus at {where} is down", evidence=evidence, fix="check its pod and its log"
            )
        if reply.status in NOT_ALLOWED:
            raise QueryRejected(
                f"access to Prometheus at {where} is denied",
                evidence=evidence,
                fix="grant this user access: for a Service, `get` of services/proxy",
            )
        raise WrongPrometheusAddress(
            f"the server at {where} is not Prometheus", evidence=evidence, fix=f"correct {SETTING}"
        )


def sums(samples: Sequence[Sample], *labels: str) -> dict[tuple[str, ...], float]:
    """Add up samples by labels; a missing label counts as empty.

    Raises:
        InvalidSample: a sample is not a count.
    """
    found: dict[tuple[str, ...], float] = {}
    for sample in samples:
        if not math.isfinite(sample.value) or sample.value < 0:
            raise InvalidSample(
                f"Prometheus returns the count {sample.value} for {dict(sample.labels)}",
                fix="correct metrics.requests and metrics.durations in the stack file, to return counts",
            )
        key = tuple(sample.labels.get(label, "") for label in labels)
        found[key] = found.get(key, 0.0) + sample.value
    return found


@contextmanager
def _valid_response(query: str, answer: object) -> Iterator[None]:
    """Report an answer that does not have the format of Prometheus' API.

    Raises:
        InvalidSample: a field is missing or has another type.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InvalidSample(
            f"the answer is not in the format of Prometheus' API ({type(error).__name__}: {error}): {query}",
            evidence=str(answer)[:500],
            fix=f"check the server at this address, or correct {SETTING}",
        ) from error


def _labels(found: Mapping[str, object]) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in found.items()}


def _value(sample: Mapping[str, Any], query: str) -> Sequence[Any]:
    if "value" not in sample and "histogram" in sample:
        raise InvalidSample(
            f"the query gives a native histogram, not a number: {query}",
            fix="query numbers: histogram_count(…), or the metric's classic buckets",
        )
    value: Sequence[Any] = sample["value"]
    return value


def _are_distinct(labels: Sequence[Mapping[str, str]], query: str) -> None:
    """Check that no series occurs twice: its requests would count twice."""
    seen = {frozenset(each.items()) for each in labels}
    if len(seen) < len(labels):
        raise InvalidSample(
            f"the answer contains a series twice: {query}",
            fix="check the server at this address: Prometheus returns each series once",
        )


def _number(text: object, query: str) -> float:
    try:
        return float(str(text))
    except ValueError:
        raise InvalidSample(
            f"the query gives {text!r}, which is not a number: {query}", fix="query numbers"
        ) from None


def _beginning(reply: Reply) -> str:
    return "\n".join([f"HTTP {reply.status}", *reply.text.splitlines()[:3]])[:500]
