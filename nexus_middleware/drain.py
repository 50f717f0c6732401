"""Let a process that is told to end say so to whoever probes it, while it finishes what it has begun."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Protocol
from weakref import ref


class Ready(Protocol):
    """What knows whether requests are welcome."""

    ready: bool


def drain(of: Ready) -> None:
    """Have SIGTERM make `of` unready, before the server's own handler does what it does.

    Nothing is changed where the server has no handler in Python, or where this is not the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if not callable(before) or getattr(before, "drains", None) is not None:
        return
    known = ref(of)

    def handle(number: int, frame: FrameType | None) -> Any:
        runtime = known()
        if runtime is not None:
            runtime.ready = False
        return before(number, frame)

    handle.drains = True  # type: ignore[attr-defined]
    signal.signal(signal.SIGTERM, handle)
