"""Checks that the new version gets the share of requests of its weight. Pure.

Envoy draws a version for each request by the weights, so the count of a version is binomial and the test is
exact. The step begins after every proxy has acknowledged the new routes, so the share is measured over the
whole step, and judged at its end against two weights: the wanted one, and the one before the step, which
proxies that did not take the routes would still use.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from operations.canary.analysis.binomial import agreeing
from operations.canary.analysis.checks import Finding, Measured, Verdict

NAME = "share"
WHOLE = 100
"""All the traffic, in percent."""


@dataclass(frozen=True, kw_only=True)
class ShareCheck:
    """The share of requests that the new version gets in one step."""

    version: str
    weight: int
    """Percent during the step."""
    before: int
    """Percent before the step."""
    min_requests: int
    """To all versions; with fewer there is no verdict."""
    confidence: float
    """Percent."""

    def judge(self, measured: Mapping[str, Measured], *, strict: bool = False) -> Finding:
        """Compare the measured share with the weight and the one before.

        - bad: the count shows that the share is nearer to another one than to the weight: by more than half
          of the step. Every good step meets its weight, so chance may contradict it far more rarely than
          `confidence` allows other checks: by its error squared, 1 in 10,000 at 99 %.
        - unsure: the count agrees with the weight, and with the one before as well, at `confidence`.

        Args:
            measured: the metrics of all versions.
            strict: the weight is contradicted at `confidence` already.
        """
        total = round(sum(each.requests for each in measured.values()))
        count = min(total, round(measured[self.version].requests)) if self.version in measured else 0
        if total < self.min_requests:
            return self._finding(Verdict.unknown, f"{total} requests, and {self.min_requests} are needed")
        error = 1 - self.confidence / 100
        lowest, highest = self._limits(total, error if strict else error**2)
        shown = f"{self.version} {100 * count / total:.1f} % ({count} of {total})"
        if not lowest <= count <= highest:
            return self._finding(
                Verdict.bad,
                f"{shown}, and it must be {self.weight} % ({lowest} to {highest}); before the step it was "
                f"{self.before} %",
            )
        fewest, most = agreeing(total, self.before / 100, error)
        if self.before != self.weight and fewest <= count <= most:
            return self._finding(
                Verdict.unsure,
                f"{shown}: too few requests to distinguish {self.weight} % from the {self.before} % before",
            )
        return self._finding(Verdict.good, shown)

    def _limits(self, total: int, error: float) -> tuple[int, int]:
        """Return the lowest and highest count that do not contradict the weight.

        Half of the step is tolerated: Prometheus extrapolates a new series less than an old one, by up to a
        scrape interval. All the traffic is exact: a version without requests has nothing to extrapolate.
        """
        if self.weight == WHOLE:
            return total, total
        tolerated = abs(self.weight - self.before or self.weight) / 2
        lowest, _ = agreeing(total, (self.weight - tolerated) / WHOLE, error)
        _, highest = agreeing(total, (self.weight + tolerated) / WHOLE, error)
        return lowest, highest

    def _finding(self, verdict: Verdict, description: str) -> Finding:
        return Finding(check=NAME, verdict=verdict, description=description)

    def __str__(self) -> str:
        """Describe the check."""
        return f"{NAME}: {self.version} gets {self.weight} % of the requests"
