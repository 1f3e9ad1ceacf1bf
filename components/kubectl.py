"""kubectl, asked from inside an update for what Pulumi does not tell. No Pulumi."""

import asyncio
from dataclasses import dataclass
from typing import Final

ANSWER_SECONDS: Final = 30.0
"""How long a question may take: the API server's own limit for one that it forwards."""


class KubectlError(Exception):
    """kubectl is not there, or ended with an error: its own words."""


class SilentError(KubectlError):
    """Whoever was asked is there and does not answer."""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl in a namespace of a kubeconfig context."""

    context: str
    namespace: str

    async def __call__(self, *words: str) -> str:
        """Run a command and return what it printed.

        Raises:
            SilentError: there was no answer in time.
            KubectlError: there is no kubectl, or it failed.
        """
        command = ("kubectl", "--context", self.context, "--namespace", self.namespace, *words)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise KubectlError("kubectl is not on PATH") from error
        try:
            said, complained = await asyncio.wait_for(process.communicate(), ANSWER_SECONDS)
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise SilentError(f"no answer within {ANSWER_SECONDS:g} s: {' '.join(command)}") from error
        if process.returncode:
            raise KubectlError(complained.decode(errors="replace").strip() or f"{' '.join(command)} failed")
        return said.decode(errors="replace")
