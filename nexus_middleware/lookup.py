"""Find what a user names as module:attribute on the command line."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from .errors import SettingsError


def look_up(name: str, *, option: str = "") -> Any:
    """Import what `name` says, such as "shop.main:app", from the current folder too.

    Args:
        name: A module, a colon, and an attribute or a path of them.
        option: What it was given as, such as "--app", for the messages.

    Raises:
        SettingsError: it is no such name, or importing it fails.
    """
    given = f"{option}={name!r}" if option else repr(name)
    module, colon, path = name.partition(":")
    if not module or not colon or not path:
        raise SettingsError(f"{given} must be module:attribute, such as shop.main:app")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        raise SettingsError(f"{given} cannot be imported: {type(error).__name__}: {error}") from error
    return found
