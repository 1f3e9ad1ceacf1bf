"""The objects that all services of a stack share during one update."""

from components.model.stack import Stack
from components.rollout.hooks import SharedHooks
from components.rollout.live_state import LiveState
from components.rollout.ownership import Ownership
from components.rollout.proxy_status import Mesh
from components.rollout.superseded_routes import SupersededRoutes


class Update:
    """One run of the program."""

    def __init__(self, stack: Stack, ownership: Ownership) -> None:
        self.hooks = SharedHooks()
        self.mesh = Mesh(stack)
        self.live_state = LiveState(stack)
        self.superseded_routes = SupersededRoutes(stack, ownership)
