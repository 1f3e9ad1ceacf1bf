"""What all services of a stack share while one update runs."""

from components.hooks import SharedHooks
from components.model.stack import Stack
from components.ownership import Ownership
from components.predecessors import Predecessors
from components.proxies import Mesh
from components.standing import Standing


class Update:
    """One run of the program."""

    def __init__(self, stack: Stack, ownership: Ownership) -> None:
        self.hooks = SharedHooks()
        self.mesh = Mesh(stack)
        self.standing = Standing(stack)
        self.predecessors = Predecessors(stack, ownership)
