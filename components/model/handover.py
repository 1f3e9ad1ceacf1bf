"""How traffic passes from one version to another. No I/O, no Pulumi."""

from dataclasses import dataclass
from typing import Annotated, Final

from components.model.text import GoDuration
from components.model.types import Label
from components.schema.constraints import Example

DEFAULT_LIMIT: Final = "60s"
DEFAULT_DRAIN: Final = "5s"


@dataclass(frozen=True, kw_only=True)
class Handover:
    """What an update waits for where a version begins or ends to serve.

    A version gets its first request when istiod has its pods and every proxy has taken its subset. One that
    leaves keeps subset and pods until every proxy has taken routes without it, and requests in flight are
    answered. istiod is asked with kubectl, as `istioctl proxy-status` asks it. Where it may not be asked, the
    update says so and waits for as long as istiod may gather changes.
    """

    control_plane: Annotated[Label, Example("istio-system")] = "istio-system"
    """The namespace of istiod's pods."""

    limit: GoDuration = DEFAULT_LIMIT
    """How long to wait for the proxies. After it the update stops, and what serves goes on serving."""

    drain: GoDuration = DEFAULT_DRAIN
    """How long requests in flight have to be answered, before the subset and the pods of a version leave.

    At least as long as the slowest request that must not be lost.
    """
