"""What an interruption left behind, as a person reads it."""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from operations.kube.cluster import named
from operations.kube.manifests import Manifest
from operations.pulumi_stack.locks import Holder
from operations.pulumi_stack.stack import spelled
from operations.recovery.backend import Backup
from operations.recovery.pending import Pending


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All of it, before anything is changed."""

    holders: Sequence[Holder] = ()
    """Whose locks nobody gave back."""
    processes: Sequence[psutil.Process] = ()
    """Pulumi's helpers whose pulumi is gone."""
    backup: Backup | None = None
    """What takes the place of a state that cannot be read."""
    pending: Sequence[Pending] = ()
    """Operations of which the state does not know whether they happened."""
    retired: Sequence[str] = ()
    """URNs of the state that the stack file declares no longer."""
    orphan_resources: Sequence[Manifest] = ()
    """What this stack made, and neither its state nor its stack file knows."""

    def lines(self) -> list[str]:
        """Say what is found, and what becomes of it."""
        return [
            *(f"a lock was left behind by {each}: it is taken away" for each in self.holders),
            *(
                f"{each.name()}, process {each.pid}, waits for a pulumi that is gone: it is ended"
                for each in self.processes
            ),
            *([f"the state cannot be read: {self.backup}, takes its place"] if self.backup else []),
            *map(str, self.pending),
            *(f"pulumi up will delete {spelled(each)}" for each in self.retired),
            *(
                f"{named(each)} is deleted: this stack made it, and nobody knows it"
                for each in self.orphan_resources
            ),
        ]
