"""Takes one sample of the metrics: measures a window and judges it by the plan's checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operations.canary.analysis.checks import Finding, Measured, Query, Verdict, overall
from operations.canary.analysis.share import ShareCheck
from operations.canary.environment import Environment
from operations.canary.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Window:
    """From when requests are judged."""

    begin: float
    """The beginning of the step, for the share: a warm-up does not change which version gets a request."""
    since: float
    """The last sample that had a verdict, or the end of a warm-up."""
    step: float
    """The beginning of the step, the end of a warm-up, or the last sample that was bad by its own requests.

    A whole step shows what one interval is too short for, such as 2 % errors. The requests of a bad sample
    that was allowed do not count again.
    """


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The result of one sample."""

    findings: Sequence[Finding]
    """Of the plan's checks."""
    share: Finding | None
    """Of the share, in a sample that can end the step."""
    sudden: bool
    """Whether the requests since the last sample are bad by themselves."""
    measured: Mapping[str, Measured]
    """Since the last sample that had a verdict."""
    whole: Mapping[str, Measured]
    """Over the whole step."""
    window: float
    """Seconds of `measured`."""

    @property
    def checked(self) -> Verdict:
        """The verdict of the plan's checks."""
        return overall(self.findings)

    @property
    def verdict(self) -> Verdict:
        """The verdict of all findings."""
        return overall(self.all)

    @property
    def all(self) -> Sequence[Finding]:
        """All findings."""
        return [*self.findings, *([self.share] if self.share else [])]

    def undecided(self, decisive: "Sample | None") -> list[Finding]:
        """List what keeps a step from ending with this sample, which is not bad.

        Args:
            decisive: the last sample whose checks had a verdict; this one has too few requests otherwise.
        """
        match decisive.checked if decisive else Verdict.unknown:
            case Verdict.good:
                findings: Sequence[Finding] = ()
            case Verdict.unsure if decisive:
                findings = decisive.findings
            case _:
                findings = self.findings
        found = [*findings, *([self.share] if self.share else [])]
        return [each for each in found if each.verdict is not Verdict.good]


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """Measures and judges."""

    environment: Environment
    plan: Plan
    to: str
    old: str
    """The version that the new one is compared with."""

    def take(self, now: float, window: Window, share: ShareCheck | None) -> Sample:
        """Judge the requests since the last sample, and those of the whole step.

        Args:
            now: the present time.
            window: from when requests are judged.
            share: the check of the share, if the step can end with this sample.

        Raises:
            MetricsError: Prometheus does not answer.
        """
        length = now - window.since
        measured = self.environment.measure(length)
        whole = self.environment.measure(now - window.begin)
        findings, sudden = self._findings(now, window, measured)
        return Sample(
            findings=findings,
            share=self._share(share, whole, now - window.begin) if share else None,
            sudden=sudden,
            measured=measured,
            whole=whole,
            window=length,
        )

    def _findings(
        self, now: float, window: Window, measured: Mapping[str, Measured]
    ) -> tuple[list[Finding], bool]:
        length = now - window.since
        judged = self._judged(measured, length)
        if judged is None:
            requests = measured[self.to].requests if self.to in measured else 0
            description = (
                f"{requests:.0f} requests in {length:.0f} s, and {self.plan.min_requests} are needed"
            )
            return [Finding(check=self.to, verdict=Verdict.unknown, description=description)], False
        queried = self._queried(length)
        sudden = overall([*judged, *queried]) is Verdict.bad
        if not sudden and window.step < window.since:
            step = now - window.step
            judged = self._judged(self.environment.measure(step), step) or judged
        return [*judged, *queried], sudden

    def _share(self, check: ShareCheck, whole: Mapping[str, Measured], window: float) -> Finding:
        """Judge the share over the whole step.

        If that is bad and the last interval is good, the share is right by now: the whole step also has
        requests that began before it, or came through proxies that took the routes late.
        """
        finding = check.judge(whole)
        if finding.verdict is not Verdict.bad or window <= self.plan.interval:
            return finding
        latest = check.judge(self.environment.measure(self.plan.interval), strict=True)
        return latest if latest.verdict is Verdict.good else finding

    def _judged(self, measured: Mapping[str, Measured], window: float) -> list[Finding] | None:
        """Apply the checks to a window's metrics; None if there are too few requests."""
        new, old = measured.get(self.to), measured.get(self.old)
        if new is None or new.requests < self.plan.min_requests:
            return None
        old = old if old and old.requests >= self.plan.min_requests else None
        error = 1 - self.plan.confidence / 100
        return [
            check.judge(new, old, error=error, window=window)
            for check in self.plan.checks
            if not isinstance(check, Query)
        ]

    def _queried(self, window: float) -> list[Finding]:
        """Apply the custom queries."""
        return [
            check.judge(
                self.environment.value(check, self.to, window),
                self.environment.value(check, self.old, window) if check.compares else None,
            )
            for check in self.plan.checks
            if isinstance(check, Query)
        ]
