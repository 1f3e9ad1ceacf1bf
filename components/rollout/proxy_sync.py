"""Waits until all proxies have acknowledged a change. No Pulumi; istiod is only a function to call."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from components.rollout.istiod import Sample

ROUTES: Final = ("route", "listener")
SUBSETS: Final = ("cluster", "endpoint")

GATHERING_SECONDS: Final = 12
"""The longest time for which istiod gathers changes (PILOT_DEBOUNCE_MAX, 10 s), with a margin."""

QUIET_SECONDS: Final = 0.4
"""The time without newly updated proxies after which a change is sent: four times PILOT_DEBOUNCE_AFTER.

Shorter than the interval between two queries, so that the second one ends the wait.
"""

POLL_SECONDS: Final = 0.1
"""Between two checks of the proxies."""

NAMED: Final = 5
"""How many proxies a message lists."""


class ProxySyncTimeout(Exception):
    """Proxies have not acknowledged a change within the limit."""


async def proxies_synced(
    sample: Callable[[], Awaitable[Sample]], before: Sample | None, kinds: tuple[str, ...], limit: float
) -> frozenset[str]:
    """Wait until each proxy that is sent an update of the first type has acknowledged all these types.

    Returns the proxies that were already late before the change and have acknowledged nothing since: they may
    be frozen or disconnected, and delay the update only up to the limit.

    Args:
        sample: queries the proxies.
        before: a sample from before the change; None if istiod has no new change to gather.
        kinds: the xDS type of the change, then those that follow from it.
        limit: the timeout in seconds.

    Raises:
        ProxySyncTimeout: some have not acknowledged it within the limit.
    """
    begun = grown = time.monotonic()
    gathering = QUIET_SECONDS if before is None else GATHERING_SECONDS
    before = before or {}
    reached: set[str] = set()
    unsynced: set[str] | None = None
    while True:
        now = await sample()
        newly = {name for name, proxy in now.items() if _is_newer(name, now, before, kinds[0])} - reached
        moment = time.monotonic()
        if newly:
            reached, grown, unsynced = reached | newly, moment, None
        waiting = {name for name, proxy in now.items() if proxy.waits(kinds)}
        # In a large mesh some proxy always waits for an update: each must be seen once with none pending.
        unsynced = waiting if unsynced is None else unsynced & waiting
        # A change that concerns no proxy is sent to none: then istiod's longest debounce must pass.
        is_sent = moment - grown >= (QUIET_SECONDS if reached else gathering)
        if is_sent and not unsynced:
            return frozenset()
        if moment - begun > limit:
            stuck = {name for name in unsynced if _is_stuck(name, now, before, kinds)}
            if late := sorted(unsynced - stuck):
                raise ProxySyncTimeout(", ".join(late[:NAMED]) + (", …" if len(late) > NAMED else ""))
            return frozenset(stuck)
        await asyncio.sleep(POLL_SECONDS)


def _is_newer(name: str, now: Sample, before: Sample, kind: str) -> bool:
    """Return whether a proxy was sent an update since. One that connected since has the latest state."""
    return name in before and now[name].sent[kind] != before[name].sent[kind]


def _is_stuck(name: str, now: Sample, before: Sample, kinds: tuple[str, ...]) -> bool:
    """Return whether a proxy was late before the change, and has acknowledged nothing since."""
    if name not in before or not before[name].waits(kinds):
        return False
    return all(now[name].acked[kind] == before[name].acked[kind] for kind in kinds)
