"""One version of an app: a Deployment of its own, and a subset."""

from dataclasses import dataclass
from typing import Annotated

from components.model.resilience import SubsetPolicy
from components.model.scaling import Autoscaling
from components.model.types import Digest, Repository, Tag
from components.model.workload import Pods
from components.schema.constraints import Example, Range
from components.schema.key_groups import at_most_one, exactly_one


@exactly_one("tag", "digest")
@at_most_one("replicas", "autoscaling")
@dataclass(frozen=True, kw_only=True)
class Version(Pods, SubsetPolicy):
    """What sets this version apart from the others."""

    image: Repository | None = None
    """Another repository than the app's."""

    tag: Tag | None = None
    """The image's tag. A tag can be moved by whoever pushes the image; a digest can not."""

    digest: Digest | None = None
    """The image's digest, instead of a tag: the pods run exactly these bytes."""

    replicas: Annotated[int, Range(1, 1000), Example(2)] | None = None
    """How many pods, 1 where absent. Never 0: a subset without pods answers 503 to what is routed to it."""

    autoscaling: Autoscaling | None = None
    """As many pods as they need, instead of a fixed number."""

    sidecar: bool | None = None
    """Whether this version's pods get a sidecar, where the namespace leaves the choice to them.

    With `injection: manual` only `true` gives one. With `enabled` or a revision only `false` keeps one away.
    """

    @property
    def fewest(self) -> int:
        """How many pods there are at least."""
        return self.autoscaling.min if self.autoscaling else self.replicas or 1
