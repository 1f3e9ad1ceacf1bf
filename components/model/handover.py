"""How an update waits when traffic moves between versions. No I/O, no Pulumi."""

from dataclasses import dataclass
from typing import Annotated, Final

from components.model.http_types import GoDuration
from components.model.types import Label
from components.schema.constraints import Example

DEFAULT_LIMIT: Final = "60s"
DEFAULT_DRAIN: Final = "5s"


@dataclass(frozen=True, kw_only=True)
class Handover:
    """How an update waits before a version gets its first request, and before one is deleted.

    A version gets its first request when istiod has its pods and every proxy has acknowledged its subset. A
    removed version keeps its subset and pods until every proxy has acknowledged routes without it, and
    requests in flight are answered. istiod is queried with kubectl, like `istioctl proxy-status`. If that is
    not permitted, the update prints a warning and waits for istiod's longest debounce.
    """

    control_plane: Annotated[Label, Example("istio-system")] = "istio-system"
    """The namespace of istiod's pods."""

    limit: GoDuration = DEFAULT_LIMIT
    """How long to wait for the proxies. After that the update fails, and the current versions still serve."""

    drain: GoDuration = DEFAULT_DRAIN
    """How long to wait for requests in flight before the subset and the pods of a version are deleted.

    At least the duration of the slowest request that must not be lost.
    """
