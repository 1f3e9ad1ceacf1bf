"""One version of an app: a Deployment of its own."""

from dataclasses import dataclass
from typing import Annotated

from components.constraints import Range, exactly_one
from components.model.names import Digest, Tag


@exactly_one("tag", "digest")
@dataclass(frozen=True, kw_only=True)
class Version:
    """What sets this version apart from the others."""

    tag: Tag | None = None
    """The image's tag. A tag can be moved by whoever pushes the image; a digest can not."""

    digest: Digest | None = None
    """The image's digest, instead of a tag: the pods run exactly these bytes."""

    replicas: Annotated[int, Range(1, 1000)] = 1
    """How many pods. At least one: a subset without pods answers 503 to whatever is routed to it."""

    sidecar: bool | None = None
    """Whether this version's pods get a sidecar, where the namespace leaves the choice to them.

    With `injection: manual` only `true` gives one. With `enabled` or a revision only `false` keeps one away.
    """

    def image(self, repository: str) -> str:
        """Name the image as a container runtime wants it."""
        return f"{repository}:{self.tag}" if self.digest is None else f"{repository}@{self.digest}"
