"""A client of Prometheus' HTTP API that tells apart why there is no answer."""

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
"""Prometheus' own words for a query that is right and could not be answered now."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One series at one moment."""

    labels: Mapping[str, str]
    value: float
    """May be NaN or infinite, as PromQL's division has it."""


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
        """Ask for the value of each series at a moment: Unix time in seconds, now where absent.

        A scalar comes as one sample without labels. No series is an empty answer, no error.
        """
        kind, result = self._ask("query", query, {} if at is None else {"time": f"{at:.3f}"})
        if kind == "scalar":
            with _as_promised(query, result):
                return (Sample(labels={}, value=_number(result[1], query)),)
        if kind != "vector":
            raise InvalidSample(
                f"the query gives a {kind}, not one value for each series: {query}",
                fix="ask for an instant vector: a rate or a sum, not a bare range",
            )
        with _as_promised(query, result):
            samples = [
                Sample(labels=_labels(each["metric"]), value=_number(_value(each, query)[1], query))
                for each in result
            ]
        _are_distinct([each.labels for each in samples], query)
        return tuple(samples)

    def range(self, query: str, *, start: float, end: float, step: float) -> tuple[Series, ...]:
        """Ask for each series from one moment to another, Unix time in seconds, every `step` seconds."""
        bounds = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        _, result = self._ask("query_range", query, bounds)
        with _as_promised(query, result):
            return tuple(
                Series(
                    labels=_labels(each["metric"]),
                    points=tuple((float(moment), _number(text, query)) for moment, text in each["values"]),
                )
                for each in result
            )

    def scalar(self, query: str, *, at: float | None = None) -> float:
        """Ask for the one finite number that a query gives.

        Raises:
            NoData: it gives none, or NaN, which is nothing divided by nothing.
            InvalidSample: it gives several, or an infinite one.
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
                fix="see in Prometheus whether the metric is there, and whether there was traffic",
            )
        if math.isinf(samples[0].value):
            raise InvalidSample(
                f"the query gives {samples[0].value}: {query}",
                fix="see that it divides by nothing that can be 0",
            )
        return samples[0].value

    def _ask(self, path: str, query: str, bounds: Mapping[str, str]) -> tuple[str, Any]:
        reply = self.transport.get(f"api/v1/{path}", {"query": query, **bounds})
        answer = self._answer(reply)
        if answer.get("status") == "success":
            with _as_promised(query, reply.text):
                data = answer["data"]
                return str(data["resultType"]), data["result"]
        said = str(answer.get("error", reply.text)).strip()
        if str(answer.get("errorType")) in OVERLOADED:
            raise PrometheusUnreachable(
                f"Prometheus at {self.transport.address} cannot answer now",
                evidence=said,
                fix="see its log; a shorter window asks less of it",
            )
        raise QueryRejected(
            f"Prometheus at {self.transport.address} refuses the query: {query}",
            evidence=said,
            fix="mend the query where it stands in the stack file",
        )

    def _answer(self, reply: Reply) -> Mapping[str, Any]:
        """Read an answer of Prometheus, and tell it from those of whoever else may answer there."""
        try:
            answer = json.loads(reply.text)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and answer.get("status") in ("success", "error"):
            return answer
        where, evidence = self.transport.address, _beginning(reply)
        if reply.status in DOWN:
            raise PrometheusUnreachable(
                f"Prometheus at {where} is down", evidence=evidence, fix="see its pod and its log"
            )
        if reply.status in NOT_ALLOWED:
            raise QueryRejected(
                f"who asks may not query Prometheus at {where}",
                evidence=evidence,
                fix="give this user the right to it: for a Service, `get` of services/proxy",
            )
        raise WrongPrometheusAddress(
            f"what answers at {where} is not Prometheus", evidence=evidence, fix=f"mend {SETTING}"
        )


def sums(samples: Sequence[Sample], *labels: str) -> dict[tuple[str, ...], float]:
    """Add samples up by labels; one that is absent counts as an empty text.

    Raises:
        InvalidSample: a sample is no count.
    """
    found: dict[tuple[str, ...], float] = {}
    for sample in samples:
        if not math.isfinite(sample.value) or sample.value < 0:
            raise InvalidSample(
                f"Prometheus counts {sample.value} of {dict(sample.labels)}",
                fix="mend metrics.requests and metrics.durations in the stack file: they must give counts",
            )
        key = tuple(sample.labels.get(label, "") for label in labels)
        found[key] = found.get(key, 0.0) + sample.value
    return found


@contextmanager
def _as_promised(query: str, answer: object) -> Iterator[None]:
    """Tell of an answer that is not of the form that Prometheus' API promises.

    Raises:
        InvalidSample: something is missing, or of another type.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InvalidSample(
            f"the answer is none of Prometheus' API ({type(error).__name__}: {error}): {query}",
            evidence=str(answer)[:500],
            fix=f"see what answers there, or mend {SETTING}",
        ) from error


def _labels(found: Mapping[str, object]) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in found.items()}


def _value(sample: Mapping[str, Any], query: str) -> Sequence[Any]:
    if "value" not in sample and "histogram" in sample:
        raise InvalidSample(
            f"the query gives a native histogram, not a number: {query}",
            fix="ask for numbers: histogram_count(…), or the metric's classic buckets",
        )
    value: Sequence[Any] = sample["value"]
    return value


def _are_distinct(labels: Sequence[Mapping[str, str]], query: str) -> None:
    """See that no series comes twice: its requests would count twice."""
    seen = {frozenset(each.items()) for each in labels}
    if len(seen) < len(labels):
        raise InvalidSample(
            f"the answer has a series twice: {query}",
            fix="see what answers there: Prometheus has each series once",
        )


def _number(text: object, query: str) -> float:
    try:
        return float(str(text))
    except ValueError:
        raise InvalidSample(
            f"the query gives {text!r}, which is no number: {query}", fix="ask for numbers"
        ) from None


def _beginning(reply: Reply) -> str:
    return "\n".join([f"HTTP {reply.status}", *reply.text.splitlines()[:3]])[:500]
