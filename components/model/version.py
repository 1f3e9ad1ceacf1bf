"""One version of an app, with a Deployment and a subset of its own."""

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
    """The settings of one version."""

    image: Repository | None = None
    """The image's repository; the app's where absent."""

    tag: Tag | None = None
    """The image's tag. A tag can be moved to another image; a digest cannot."""

    digest: Digest | None = None
    """The image's digest, instead of a tag: the pods run exactly these bytes."""

    replicas: Annotated[int, Range(1, 1000), Example(2)] | None = None
    """The number of pods; 1 where absent. Not 0: requests to a subset without pods are answered with 503."""

    autoscaling: Autoscaling | None = None
    """A HorizontalPodAutoscaler, instead of a fixed number of pods."""

    sidecar: bool | None = None
    """Whether this version's pods get a sidecar, if the namespace's injection allows a choice.

    With `injection: manual` only pods with `true` get one; with `enabled` or a revision, all but those with
    `false`.
    """

    @property
    def fewest(self) -> int:
        """The declared minimal number of pods."""
        return self.autoscaling.min if self.autoscaling else self.replicas or 1
