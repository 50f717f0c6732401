"""The academy's courses as a Flask app, wrapped as WSGI; `nexus dashboard` runs beside it on the same Redis.

NEXUS_STORE=redis://127.0.0.1:6379/0 gunicorn example_app.flask_app:app
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, abort

from nexus_middleware import CacheRule, CacheTTL, Nexus

from . import pages
from .data import Academy

app = Flask(__name__, static_url_path="/static")
academy = Academy(Path(os.environ.get("ACADEMY_DB", ".nexus/academy.db")))


@app.get("/courses")
def courses() -> str:
    return pages.courses(academy.courses())


@app.get("/courses/<int:number>")
def course(number: int) -> str:
    return pages.course(academy.course(number) or abort(404))


nexus = Nexus(app.wsgi_app, cache_rules=[CacheRule("/courses/*", ttl=CacheTTL.SHORT)])
app.wsgi_app = nexus.wsgi  # type: ignore[method-assign]  # what Flask's documentation says to do
