"""What the servers load: the app that MATRIX_APP names behind a whole `Nexus`, and twice more below prefixes."""

from __future__ import annotations

import os
from typing import Any

from nexus_middleware import Nexus, Rule, Settings
from tests.matrix import more_apps
from tests.matrix.asgi_apps import apps

SETTINGS = Settings(
    store=os.environ.get("MATRIX_STORE", "memory://"),
    rate_limit="",
    body_limit=2**20,
    log_level="error",
    admin_token="a long secret",
)
NAME = os.environ.get("MATRIX_APP", "starlette")
ASGI = apps()
WSGI = {make.__name__: make for make in (more_apps.flask, more_apps.django_wsgi, more_apps.falcon_wsgi)}
bare: Any = (ASGI | WSGI)[NAME]()
nexus = Nexus(bare, SETTINGS, rules=[Rule("12/hour", path="/limited")])
under = Nexus(bare, SETTINGS)
PREFIXES: dict[str, Any] = {"/bare": bare, "/under": under}


async def asgi(scope, receive, send):
    """Mount the app alone, and the app behind `Nexus`, as a framework mounts another app; the rest is `nexus`."""
    for prefix, app in PREFIXES.items():
        if scope["type"] != "lifespan" and scope["path"].startswith(prefix + "/"):
            return await app({**scope, "root_path": scope.get("root_path", "") + prefix}, receive, send)
    return await nexus(scope, receive, send)


def wsgi(environ, start_response):
    for prefix, app in PREFIXES.items():
        path = environ["PATH_INFO"]
        if path.startswith(prefix + "/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
            environ["PATH_INFO"] = path.removeprefix(prefix)
            return getattr(app, "wsgi", app)(environ, start_response)
    return nexus.wsgi(environ, start_response)
