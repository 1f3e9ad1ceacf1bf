"""Which findings of a drift check stop a canary."""

import datetime as dt

from operations.canary.live_environment import changed_routes
from operations.drift.findings import Finding, Problem, Ref, Report, Writer

ROUTES = Ref(api_version="networking.istio.io/v1", kind="VirtualService", namespace="shop", name="shop")
PODS = Ref(api_version="apps/v1", kind="Deployment", namespace="shop", name="shop-v1")
PATCH = Writer(manager="kubectl-patch", operation="Update", time="2026-11-25T19:16:19Z")


def changed(*findings: Finding) -> list[str]:
    """Ask of a report with these findings."""
    now = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
    report = Report(stack="prod", context="lab", time=now, compared=9, unapplied=(), findings=findings)
    return changed_routes(report)


def test_a_change_of_the_routes_is_told_with_who_made_it() -> None:
    """As the person reads it who has to undo it; what is not of the routes stops nothing."""
    by_hand = Finding(ref=ROUTES, problem=Problem.ADDED, path="spec.http[weights].timeout", writer=PATCH)
    of_pods = Finding(ref=PODS, problem=Problem.CHANGED, path="spec.replicas", writer=PATCH)
    assert changed(by_hand, of_pods) == [
        "VirtualService shop/shop spec.http[weights].timeout is added, by kubectl-patch 2026-11-25T19:16:19Z"
    ]


def test_what_the_next_step_puts_right_stops_nothing() -> None:
    """Changes of the stack file, and a value that somebody put back: the field is theirs until then."""
    put_back = Finding(ref=ROUTES, problem=Problem.TAKEN, path="spec.http", writer=PATCH)
    declared = Finding(ref=ROUTES, problem=Problem.CHANGED, path="spec.http[weights].route", pending=True)
    assert changed(put_back, declared) == []
