"""Analyses one step: samples metrics, pods and commands until the step has passed.

The step's time starts when `apply` returns: the deployment then has waited until every proxy that is sent the
new routes has acknowledged them, or for a fixed time if istiod cannot be queried.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from operations.canary.analysis.checks import Finding, Measured, Verdict
from operations.canary.analysis.monitor import TICK_SECONDS, Monitor
from operations.canary.analysis.sampling import Sample, Sampler, Window
from operations.canary.analysis.share import ShareCheck
from operations.canary.environment import Environment
from operations.canary.outcome import HaltRequested, Outcome, RollbackRequested
from operations.canary.plan import Plan
from operations.canary.traffic import Traffic
from operations.metrics.errors import MetricsError

SHORTEST_SECONDS = 0.5
"""The shortest time between two samples."""
ROUNDING = 0.001
"""Seconds by which sums of times may differ."""
WAITING = "too few requests, waiting for more"
WARMING = "warm-up of new pods"
PODS_SECONDS = 60.0
"""How long to wait for a ready pod before a step, such as after a restart."""


@dataclass(kw_only=True)
class Analysis:
    """Analyses the steps of one canary, one after the other."""

    environment: Environment
    plan: Plan
    to: str
    old: str
    """The version that the new one is compared with."""
    divided: bool
    """Whether the weights alone divide the traffic, so that the share can be judged."""
    before: int
    """The new version's weight before the canary, in percent."""
    warm_up: float
    """Seconds of the warm-up that are left when the first step begins."""
    monitor: Monitor
    _failures: int = field(default=0, init=False)
    """Bad samples in this step."""
    _window: Window = field(default_factory=lambda: Window(begin=0, since=0, step=0), init=False)
    _next: float = field(default=0, init=False)
    """When the next sample is due."""
    _warmed: bool = field(default=False, init=False)
    """Whether the warm-up of the first pods has begun."""
    _started: float | None = field(default=None, init=False)
    """When the analysis of the step began."""

    def step(self, nth: int, traffic: Traffic) -> None:
        """Analyse a step until it has passed.

        Raises:
            RollbackRequested: the new version is bad, or `--abort`.
            HaltRequested: the step cannot be judged, or the user holds it.
            PromotionRequested: `--promote`.
        """
        hold = self.plan.steps[nth].hold
        self._begin(nth, traffic, hold)
        if not self._warmed:
            self._warmed = True
            self.monitor.warm(self.warm_up)
            self._skip_warm_up()
        self._hold(hold, share=self._share_check(nth, traffic))

    def rollback_window(self, traffic: Traffic) -> None:
        """Analyse the new version with all the traffic, while the old one can still take it back."""
        self._begin(len(self.plan.steps) - 1, traffic, self.plan.rollback_window)
        self._hold(self.plan.rollback_window, phase="rollback window")

    def pause(self, nth: int, traffic: Traffic) -> None:
        """Wait for `--resume` after a step, and analyse it meanwhile."""
        self.monitor.commands.pause_by_plan(nth)
        self._begin(nth, traffic, 0)
        self._hold(0)

    def await_pods(self, nth: int, traffic: Traffic, *, again: bool) -> None:
        """Wait until the new version has a ready pod, and until a pause is over.

        Args:
            nth: the step that comes next.
            traffic: the step's.
            again: the step is deployed again after a kill: a pause in its middle does not delay it.

        Raises:
            RollbackRequested: no pod becomes ready, or `--abort`.
            HaltRequested: the user holds the canary.
            PromotionRequested: `--promote`.
        """
        self._begin(nth, traffic, None)
        deadline = self.environment.now() + PODS_SECONDS
        commands = self.monitor.commands
        commands.poll()
        while not (count := self.environment.ready(self.to)) or (
            commands.paused and not again and not commands.promoted
        ):
            if count == 0 and self.environment.now() > deadline:
                raise RollbackRequested(
                    Outcome.rolled_back, f"{self.to} has no ready pods, and gets no weight"
                )
            self.monitor.show(phase="before the step" if count else "waiting for ready pods")
            self.environment.sleep(TICK_SECONDS)
            commands.poll()

    def measured(self) -> tuple[Mapping[str, Measured], float]:
        """Measure every version since the analysis of the step began; returns the seconds as well.

        Returns nothing if the step was not analysed, or Prometheus does not answer.
        """
        if self._started is None:
            return {}, 0
        window = self.environment.now() - self._started
        try:
            return self.environment.measure(window), window
        except MetricsError:
            return {}, window

    def _hold(self, seconds: float, phase: str = "analysis", share: ShareCheck | None = None) -> None:
        """Sample every interval until the time is over and the checks are good."""
        self._started = self.environment.now()
        began = max(self._started, self.monitor.warm_until)
        decisive: Sample | None = None
        waiting = phase
        while True:
            left = min(seconds, began + seconds - self.environment.now())
            left = left if left > ROUNDING else 0.0
            self.monitor.show(left=left, failures=self._failures)
            self._rest(left, waiting)
            if self.monitor.is_warming:
                continue
            over = self.environment.now() + ROUNDING >= began + seconds and not self.monitor.commands.paused
            try:
                sample = self._sample(share if over else None)
            except MetricsError as error:
                waiting = self._outage(error, began, seconds)
                continue
            waiting = phase
            if sample.checked is not Verdict.unknown:
                decisive = sample
            if not over or sample.verdict is Verdict.bad:
                continue
            undecided = sample.undecided(decisive)
            if not undecided or self._continues_without(undecided):
                return
            waiting = WAITING

    def _rest(self, left: float, phase: str) -> None:
        """Wait until the next sample: for an interval, or less if the step is over before."""
        warming = self.monitor.is_warming
        rest = self._next - self.environment.now()
        # A window needs a length.
        rest = max(SHORTEST_SECONDS, rest if warming or not left else min(rest, left))
        self.monitor.rest(rest, WARMING if warming else phase)
        self._skip_warm_up()

    def _skip_warm_up(self) -> None:
        """Begin new windows after a warm-up; nothing before it is judged together with what follows."""
        until = self.monitor.warm_until
        if until > self._window.since:
            self._window = replace(self._window, since=until, step=until)
            self._next = until + self.plan.interval

    def _sample(self, share: ShareCheck | None) -> Sample:
        """Take a sample, show it and write it to the journal.

        Raises:
            RollbackRequested: it is one bad sample too many.
        """
        now = self.environment.now()
        self._next = now + self.plan.interval
        sample = self._sampler.take(now, self._window, share)
        self.monitor.show(
            measured=sample.measured, window=sample.window, findings=sample.all, shares=_shares(sample.whole)
        )
        self.environment.note(
            "look",
            verdict=sample.verdict,
            window=sample.window,
            weights=dict(self.monitor.state.weights),
            findings=[[each.check, each.verdict, each.description] for each in sample.all],
            versions={version: _metrics(each) for version, each in sample.measured.items()},
        )
        if sample.share:
            counts = {version: round(each.requests) for version, each in sample.whole.items()}
            total = sum(counts.values())
            self.environment.note("split", shares={each: [count, total] for each, count in counts.items()})
        if sample.checked is not Verdict.unknown:
            self._window = replace(self._window, since=now, step=now if sample.sudden else self._window.step)
        if sample.verdict is Verdict.bad:
            bad = [each for each in sample.all if each.verdict is Verdict.bad]
            self._count_failure("; ".join(f"{each.check} {each.description}" for each in bad))
        return sample

    @property
    def _sampler(self) -> Sampler:
        return Sampler(environment=self.environment, plan=self.plan, to=self.to, old=self.old)

    def _share_check(self, nth: int, traffic: Traffic) -> ShareCheck | None:
        """Make the check of a step's share; None if more than the weights divides the traffic."""
        step = self.plan.steps[nth]
        if not self.divided or step.match or step.mirror:
            return None
        return ShareCheck(
            version=self.to,
            weight=traffic.weights[self.to],
            # Steps below the weight before the canary are skipped, and no step lowers the weight.
            before=max(self.before, self.plan.steps[nth - 1].weight if nth else 0),
            min_requests=self.plan.min_requests,
            confidence=self.plan.confidence,
        )

    def _count_failure(self, why: str) -> None:
        self._failures += 1
        self.environment.report_line(
            f"bad sample {self._failures}, {self.plan.allowed_failures} allowed: {why}"
        )
        if self._failures > self.plan.allowed_failures:
            raise RollbackRequested(Outcome.rolled_back, why)

    def _continues_without(self, lacking: list[Finding]) -> bool:
        """Decide by the plan's `noData`, if the data does not decide."""
        why = "; ".join(f"{each.check}: {each.description}" for each in lacking)
        if self.plan.no_data == "stop":
            raise HaltRequested(Outcome.no_data, why)
        if self.plan.no_data == "continue":
            self.environment.report_line(f"continuing without data: {why}")
        return self.plan.no_data == "continue"

    def _outage(self, error: MetricsError, began: float, hold: float) -> str:
        """Note that there are no metrics, which is no verdict; returns the phase to show."""
        self.environment.note("outage", why=error.what)
        if self.environment.now() - began > max(hold, PODS_SECONDS) and self.plan.no_data != "wait":
            raise HaltRequested(Outcome.no_data, f"{error.what}; the weights stay as they are")
        return f"no metrics: {error.what}"

    def _begin(self, nth: int, traffic: Traffic, left: float | None) -> None:
        now = self.environment.now()
        self._failures, self._started = 0, None
        # A warm-up continues in the next step.
        since = max(now, self.monitor.warm_until)
        self._window = Window(begin=now, since=since, step=since)
        self._next = since + self.plan.interval
        self.monitor.begin(nth, traffic, left)


def _shares(measured: Mapping[str, Measured]) -> Mapping[str, float]:
    total = sum(each.requests for each in measured.values())
    return {version: 100 * each.requests / total for version, each in measured.items()} if total else {}


def _metrics(measured: Measured) -> Mapping[str, float | None]:
    return {
        "requests": measured.requests,
        "failures": measured.failures,
        "p50": measured.percentile(0.5),
        "p99": measured.percentile(0.99),
    }
