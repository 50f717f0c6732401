"""Find the queues that a worker serves: those of the user's app, or of the settings alone."""

from __future__ import annotations

from ..errors import SettingsError
from ..lookup import look_up
from ..runtime import Runtime
from ..services.queues import Queues
from ..settings import Settings


def load_queues(app: str) -> Queues:
    """Return the queues of `app`, such as "shop.main:app"; "" for those that the environment's settings name.

    Args:
        app: Where to find a `Queues`, or an object whose `queues` is one, such as a `Nexus`.

    Raises:
        SettingsError: there is none, or importing it fails.
    """
    if not app:
        return Runtime(Settings.from_env()).queues
    found = look_up(app, option="--app")
    queues = getattr(found, "queues", found)
    if not isinstance(queues, Queues):
        raise SettingsError(f"--app={app!r} is neither a Queues nor has one as its `queues`")
    return queues
