"""Find the queues that a worker serves: those of the user's app, or of the settings alone."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from ..errors import SettingsError
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
    module, colon, path = app.partition(":")
    if not module or not colon or not path:
        raise SettingsError(f"--app={app!r} must be module:attribute, such as shop.main:app")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    except Exception as error:
        raise SettingsError(f"--app={app!r} cannot be imported: {type(error).__name__}: {error}") from error
    queues = getattr(found, "queues", found)
    if not isinstance(queues, Queues):
        raise SettingsError(f"--app={app!r} is neither a Queues nor has one as its `queues`")
    return queues
