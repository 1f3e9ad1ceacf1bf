"""Runs kubectl during an update, for state that Pulumi does not provide. No Pulumi."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ANSWER_SECONDS: Final = 30.0
"""How long a command may take: the API server's own limit for requests that it forwards."""

AWAY: Final = re.compile(
    r"connection to the server|Unable to connect to the server|connection refused|connection reset"
    r"|connection lost|(^|: |unexpected )EOF$",
    re.MULTILINE,
)
"""kubectl's errors when the API server cannot be reached or the connection is lost."""

PAUSE_SECONDS: Final = 0.5
"""The pause before an unreachable API server is tried again."""


class KubectlError(Exception):
    """kubectl is missing, or failed with this error."""


class ApiServerUnreachable(KubectlError):
    """kubectl could not reach the API server."""


class KubectlTimeout(KubectlError):
    """The API server or istiod is there and did not answer in time."""


class ProcessLimitReached(KubectlTimeout):
    """This machine cannot start a process now: it lacks memory, file descriptors or processes."""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl with a context of the kubeconfig, and optionally a namespace."""

    context: str
    namespace: str = ""

    def command(self, *words: str) -> tuple[str, ...]:
        """Return the command line."""
        place = ("--namespace", self.namespace) if self.namespace else ()
        return ("kubectl", "--context", self.context, *place, *words)

    async def __call__(self, *words: str, given: str = "") -> str:
        """Run a command and return its output; retry while the API server cannot be reached.

        Args:
            words: the command.
            given: its standard input.

        Raises:
            KubectlTimeout: it did not finish in time.
            KubectlError: kubectl is missing or failed.
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
    """Return the error for a kubectl that could not be started: it is missing, or a limit is reached."""
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
        output, errors = await asyncio.wait_for(process.communicate(given.encode() or None), patience)
    except TimeoutError as error:
        raise KubectlTimeout(f"no answer within {ANSWER_SECONDS:g} s: {' '.join(command)}") from error
    finally:
        # After the time limit, and if the update is cancelled.
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        why = errors.decode(errors="replace").strip()
        raise (ApiServerUnreachable if is_unreachable(why) else KubectlError)(
            why or f"{' '.join(command)} failed"
        )
    return output.decode(errors="replace")


def is_unreachable(error: str) -> bool:
    """Return whether kubectl's error means that the API server cannot be reached."""
    return bool(AWAY.search(error))
