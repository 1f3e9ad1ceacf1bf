"""kubectl, asked from inside an update for what Pulumi does not tell. No Pulumi."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ANSWER_SECONDS: Final = 30.0
"""How long a question may take: the API server's own limit for one that it forwards."""

AWAY: Final = (
    "connection to the server",
    "Unable to connect to the server",
    "connection refused",
    "connection reset",
    "connection lost",
    "EOF",
)
"""What kubectl says where the API server does not answer, or goes away meanwhile."""

PAUSE_SECONDS: Final = 0.5
"""Before an API server that is away is asked again."""


class KubectlError(Exception):
    """kubectl is not there, or ended with an error: its own words."""


class AwayError(KubectlError):
    """No API server was there to answer."""


class SilentError(KubectlError):
    """Whoever was asked is there and does not answer."""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl with a kubeconfig context, in one of its namespaces if one is named."""

    context: str
    namespace: str = ""

    async def __call__(self, *words: str, given: str = "") -> str:
        """Run a command and return what it printed; an API server that is away is asked until it is back.

        Args:
            words: the command.
            given: its standard input.

        Raises:
            SilentError: there was no answer in time.
            KubectlError: there is no kubectl, or it failed.
        """
        place = ("--namespace", self.namespace) if self.namespace else ()
        command = ("kubectl", "--context", self.context, *place, *words)
        ends = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return await _run(command, ends - time.monotonic(), given)
            except AwayError as error:
                if time.monotonic() > ends - PAUSE_SECONDS:
                    raise SilentError(f"no answer within {ANSWER_SECONDS:g} s: {error}") from error
            await asyncio.sleep(PAUSE_SECONDS)


async def _run(command: Sequence[str], patience: float, given: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise KubectlError("kubectl is not on PATH") from error
    try:
        said, complained = await asyncio.wait_for(process.communicate(given.encode() or None), patience)
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise SilentError(f"no answer within {ANSWER_SECONDS:g} s: {' '.join(command)}") from error
    if process.returncode:
        why = complained.decode(errors="replace").strip()
        away = any(words in why for words in AWAY)
        raise (AwayError if away else KubectlError)(why or f"{' '.join(command)} failed")
    return said.decode(errors="replace")
