"""When all proxies have taken a change: watched until it is so. No Pulumi, and istiod only as a question."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from components.rollout.istiod import Sample

ROUTES: Final = ("route", "listener")
SUBSETS: Final = ("cluster", "endpoint")

GATHERING_SECONDS: Final = 12
"""How long istiod gathers changes at most before it sends them, PILOT_DEBOUNCE_MAX of 10 s, and some room."""

QUIET_SECONDS: Final = 0.4
"""After the last proxy that was sent something new: four times istiod's own pause, PILOT_DEBOUNCE_AFTER.

Below the pause between two questions, so that the second one ends the wait.
"""

PAUSE_SECONDS: Final = 0.1

NAMED: Final = 5
"""How many proxies a message names."""


class ProxySyncTimeout(Exception):
    """Proxies have not taken a change within the limit."""


async def proxies_synced(
    sample: Callable[[], Awaitable[Sample]], before: Sample | None, kinds: tuple[str, ...], limit: float
) -> frozenset[str]:
    """Wait until each proxy that is sent something new of the first kind has taken all of these kinds.

    Returns those that have taken nothing since before the change, were late then already, and still are: they
    may be frozen or cut off, and hold nobody up for longer than the limit.

    Args:
        sample: how to look at the proxies.
        before: a look at them from before the change; None where istiod has nothing new to gather.
        kinds: the kind that the change is sent as, then those that follow from it.
        limit: seconds.

    Raises:
        ProxySyncTimeout: some have not taken it within the limit.
    """
    begun = grown = time.monotonic()
    gathering = QUIET_SECONDS if before is None else GATHERING_SECONDS
    before = before or {}
    reached: set[str] = set()
    unsettled: set[str] | None = None
    while True:
        now = await sample()
        newly = {name for name, proxy in now.items() if _is_newer(name, now, before, kinds[0])} - reached
        moment = time.monotonic()
        if newly:
            reached, grown, unsettled = reached | newly, moment, None
        waiting = {name for name, proxy in now.items() if proxy.waits(kinds)}
        # In a large mesh somebody always waits for something: each needs to be seen once with nothing due.
        unsettled = waiting if unsettled is None else unsettled & waiting
        # A change that concerns no proxy is sent to none: then istiod's longest pause has to pass.
        told = moment - grown >= (QUIET_SECONDS if reached else gathering)
        if told and not unsettled:
            return frozenset()
        if moment - begun > limit:
            stuck = {name for name in unsettled if _is_stuck(name, now, before, kinds)}
            if late := sorted(unsettled - stuck):
                raise ProxySyncTimeout(", ".join(late[:NAMED]) + (", …" if len(late) > NAMED else ""))
            return frozenset(stuck)
        await asyncio.sleep(PAUSE_SECONDS)


def _is_newer(name: str, now: Sample, before: Sample, kind: str) -> bool:
    """Tell whether a proxy was sent something since. One that connected since got the newest at once."""
    return name in before and now[name].sent[kind] != before[name].sent[kind]


def _is_stuck(name: str, now: Sample, before: Sample, kinds: tuple[str, ...]) -> bool:
    """Tell whether a proxy was late before the change already, and has taken nothing since."""
    if name not in before or not before[name].waits(kinds):
        return False
    return all(now[name].taken[kind] == before[name].taken[kind] for kind in kinds)
