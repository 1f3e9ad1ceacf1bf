"""kubectl, asked from inside an update for what Pulumi does not tell. No Pulumi."""

import asyncio
from dataclasses import dataclass


class KubectlError(Exception):
    """kubectl is not there, or ended with an error: its own words."""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl in a namespace of a kubeconfig context."""

    context: str
    namespace: str

    async def __call__(self, *words: str) -> str:
        """Run a command and return what it printed.

        Raises:
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
        said, complained = await process.communicate()
        if process.returncode:
            raise KubectlError(complained.decode(errors="replace").strip() or f"{' '.join(command)} failed")
        return said.decode(errors="replace")
