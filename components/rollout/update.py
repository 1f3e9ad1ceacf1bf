"""What all services of a stack share while one update runs."""

from components.model.stack import Stack
from components.rollout.hooks import SharedHooks
from components.rollout.live_state import Standing
from components.rollout.ownership import Ownership
from components.rollout.proxy_status import Mesh
from components.rollout.superseded_routes import Predecessors


class Update:
    """One run of the program."""

    def __init__(self, stack: Stack, ownership: Ownership) -> None:
        self.hooks = SharedHooks()
        self.mesh = Mesh(stack)
        self.standing = Standing(stack)
        self.predecessors = Predecessors(stack, ownership)
