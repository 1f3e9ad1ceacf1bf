"""What an interrupted update left, as text."""

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
    """Everything that was found, before anything is changed."""

    holders: Sequence[Holder] = ()
    """Holders that ended without releasing their lock."""
    processes: Sequence[psutil.Process] = ()
    """Plugins of a pulumi that has ended."""
    backup: Backup | None = None
    """Replaces a state that cannot be read."""
    pending: Sequence[Pending] = ()
    """Operations with an unknown outcome."""
    retired: Sequence[str] = ()
    """URNs of the state that the stack file no longer declares."""
    orphan_resources: Sequence[Manifest] = ()
    """Objects that this stack created, and that are neither in its state nor declared."""

    def lines(self) -> list[str]:
        """Return a line for each finding, with what is done about it."""
        return [
            *(f"a lock was not released by {each}: it is released" for each in self.holders),
            *(
                f"{each.name()}, process {each.pid}, belongs to a pulumi that has ended: it is ended"
                for each in self.processes
            ),
            *([f"the state cannot be read: {self.backup}, replaces it"] if self.backup else []),
            *map(str, self.pending),
            *(f"pulumi up will delete {spelled(each)}" for each in self.retired),
            *(
                f"{named(each)} is deleted: this stack created it, and neither its state nor its file has it"
                for each in self.orphan_resources
            ),
        ]
