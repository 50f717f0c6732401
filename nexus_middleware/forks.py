"""Which process this is, without asking the system: what must be made anew after a fork is looked at in each request."""

from __future__ import annotations

import os


class Process:
    """This process; a forked one learns its own number before it does anything else."""

    __slots__ = ("pid",)

    def __init__(self) -> None:
        self.look()
        os.register_at_fork(after_in_child=self.look)

    def look(self) -> None:
        """Ask the system."""
        self.pid = os.getpid()


THIS = Process()
