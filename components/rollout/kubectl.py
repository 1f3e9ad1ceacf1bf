"""kubectl, asked from inside an update for what Pulumi does not tell. No Pulumi."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ANSWER_SECONDS: Final = 30.0
"""How long a question may take: the API server's own limit for one that it forwards."""

AWAY: Final = re.compile(
    r"connection to the server|Unable to connect to the server|connection refused|connection reset"
    r"|connection lost|(^|: |unexpected )EOF$",
    re.MULTILINE,
)
"""What kubectl says where the API server does not answer, or goes away meanwhile."""

PAUSE_SECONDS: Final = 0.5
"""Before an API server that is away is asked again."""


class KubectlError(Exception):
    """kubectl is not there, or ended with an error: its own words."""


class ApiServerUnreachable(KubectlError):
    """No API server was there to answer."""


class KubectlTimeout(KubectlError):
    """Whoever was asked is there and does not answer."""


class ProcessLimitReached(KubectlTimeout):
    """This machine cannot start a process, for now: it has no memory, or no free file or process."""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl with a kubeconfig context, in one of its namespaces if one is named."""

    context: str
    namespace: str = ""

    def command(self, *words: str) -> tuple[str, ...]:
        """Write the command line."""
        place = ("--namespace", self.namespace) if self.namespace else ()
        return ("kubectl", "--context", self.context, *place, *words)

    async def __call__(self, *words: str, given: str = "") -> str:
        """Run a command and return what it printed; an API server that is away is asked until it is back.

        Args:
            words: the command.
            given: its standard input.

        Raises:
            KubectlTimeout: there was no answer in time.
            KubectlError: there is no kubectl, or it failed.
        """
        ends = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return await _run(self.command(*words), ends - time.monotonic(), given)
            except (ApiServerUnreachable, ProcessLimitReached) as error:
                if time.monotonic() > ends - PAUSE_SECONDS:
                    kind = KubectlTimeout if isinstance(error, ApiServerUnreachable) else ProcessLimitReached
                    raise kind(f"no answer within {ANSWER_SECONDS:g} s: {error}") from error
            await asyncio.sleep(PAUSE_SECONDS)


def unstarted(error: OSError) -> KubectlError:
    """Tell a kubectl that is missing from a machine that has no room for one more process."""
    if isinstance(error, FileNotFoundError):
        return KubectlError("kubectl is not on PATH")
    if isinstance(error, PermissionError):
        return KubectlError(f"kubectl cannot be started: {error}")
    return ProcessLimitReached(f"kubectl cannot be started: {error}; raise that limit, see `ulimit -a`")


async def _run(command: Sequence[str], patience: float, given: str) -> str:
    try:
        # In a session of its own: an interrupt from the terminal is for Pulumi, which finishes its steps.
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise unstarted(error) from error
    try:
        said, complained = await asyncio.wait_for(process.communicate(given.encode() or None), patience)
    except TimeoutError as error:
        raise KubectlTimeout(f"no answer within {ANSWER_SECONDS:g} s: {' '.join(command)}") from error
    finally:
        # After the time limit, and where the update is cancelled.
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        why = complained.decode(errors="replace").strip()
        raise (ApiServerUnreachable if is_unreachable(why) else KubectlError)(
            why or f"{' '.join(command)} failed"
        )
    return said.decode(errors="replace")


def is_unreachable(pod_issue: str) -> bool:
    """Whether kubectl found no API server to answer."""
    return bool(AWAY.search(pod_issue))
