"""Wait until the proxies of a mesh have acknowledged a change, as an update of the stack does."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from components.model.handover import Handover
from components.rollout.istiod import Istiod, IstiodUnavailable, Sample
from components.rollout.kubectl import KubectlTimeout
from components.rollout.proxy_sync import GATHERING_SECONDS, ROUTES, ProxySyncTimeout, proxies_synced
from components.schema.durations import seconds
from operations.errors import OperationError


@contextmanager
def synced(context: str, handover: Handover, report_line: Callable[[str], None]) -> Iterator[None]:
    """Run a block that changes routes, then wait until every proxy has acknowledged them.

    If istiod cannot be queried, wait as long as istiod may collect changes before it sends them.

    Args:
        context: the kubeconfig context.
        handover: where istiod runs, and how long to wait for the proxies.
        report_line: prints why a fixed delay is used, and which proxies are not waited for.

    Raises:
        OperationError: proxies have not acknowledged the change in time, or istiod does not answer.
    """
    with asyncio.Runner() as runner:
        istiod = Istiod(context=context, namespace=handover.control_plane)
        before = runner.run(_sample(istiod))
        yield
        runner.run(_wait(istiod, before, float(seconds(handover.limit) or 0), report_line))


async def _sample(istiod: Istiod) -> Sample:
    try:
        return await istiod.proxies()
    except (IstiodUnavailable, KubectlTimeout):
        return {}  # the wait reports it; a proxy that was not seen before does not count as newer


async def _wait(istiod: Istiod, before: Sample, limit: float, report_line: Callable[[str], None]) -> None:
    try:
        stuck = await proxies_synced(istiod.proxies, before, ROUTES, limit)
    except IstiodUnavailable as error:
        report_line(f"wait {GATHERING_SECONDS} s for the proxies: istiod cannot be queried: {error}")
        await asyncio.sleep(GATHERING_SECONDS)
    except ProxySyncTimeout as late:
        raise OperationError(
            f"after {limit:g} s these proxies have not acknowledged the new routes: {late}; what the old "
            "routes need was not deleted",
            fix="istioctl proxy-status lists them: repair or delete their pods, then run the command again",
        ) from late
    except KubectlTimeout as error:
        raise OperationError(
            f"istiod does not answer: {error}",
            fix=f"kubectl rollout restart deployment --namespace {istiod.namespace} --selector app=istiod, "
            "then run the command again",
        ) from error
    else:
        if stuck:
            report_line(f"not waited for, out of date before the change: {', '.join(sorted(stuck))}")
