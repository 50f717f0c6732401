"""A stack with a token, asked through its own door."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field

import pytest

from nexus_middleware import Nexus, Settings, SettingsError
from tests.helpers import Origin

TOKEN = "correct horse battery staple"
API = "/api/infrastructure"
PAGE = "/admin/infrastructure"
NUMBERS = itertools.count()
BEARER = ("authorization", f"Bearer {TOKEN}")
SAME = ("sec-fetch-site", "same-origin")
JSON = ("content-type", "application/json")
SECRET = ("x-api-key", TOKEN)


@dataclass
class Queues:
    """A double of the service for jobs, which remembers what it was told to do."""

    stats: dict = field(default_factory=dict)
    told: list = field(default_factory=list)
    disabled: bool = False

    @property
    def enabled(self):
        return not self.disabled

    async def aall_stats(self):
        if self.disabled:
            raise SettingsError("jobs need a Redis: set NEXUS_STORE")
        return self.stats

    def close(self):
        self.told.append(("close", ""))

    async def apause(self, queue):
        self.told.append(("pause", queue))

    async def aresume(self, queue):
        self.told.append(("resume", queue))

    async def aretry_failed(self, queue):
        self.told.append(("retry", queue))
        return 23

    @property
    def board(self):
        return self

    async def aempty(self, queue, *, expected=None):
        self.told.append(("clear", queue))
        return 45

    def all_stats(self):
        return {}

    @property
    def ledger(self):
        return self

    @property
    def jobs(self):
        return self

    queues = ()

    def sample(self, queues):
        """Keep nothing of it."""


def sign_in(desk, *, token=TOKEN, headers=(SAME,), **options):
    return desk.ask("/sign-in", method="POST", headers=headers, body={"token": token}, **options)


def cookie(seen):
    return ("cookie", seen.headers["set-cookie"].partition(";")[0])


QUEUE = {"waiting": 45, "active": 3, "completed": 12500, "failed": 23, "delayed": 5, "paused": False}


class Desk:
    """Asks one stack for its API and its page."""

    def __init__(self, door, nexus) -> None:
        self.door, self.nexus = door, nexus

    def ask(self, path, *, method="GET", headers=(BEARER,), body=b"", **options):
        path, _, query = path.partition("?")
        kinds = (("content-type", "application/json"),) if body else ()
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        whole = path if path.startswith("/admin") else API + path
        return self.door.get(
            self.nexus, whole, method=method, headers=[*headers, *kinds], body=body, query=query.encode(), **options
        )

    def json(self, path, **options):
        seen = self.ask(path, **options)
        assert seen.status == 200, seen.body
        return json.loads(seen.body)

    def problem(self, path, **options):
        seen = self.ask(path, **options)
        assert seen.headers["content-type"] == "application/problem+json"
        value = json.loads(seen.body)
        assert value["status"] == seen.status
        return value


@pytest.fixture
def make(asgi_door):
    def make(*, access=None, queues=None, **settings):
        if "store" not in settings:
            settings["namespace"] = f"test-{next(NUMBERS)}"  # a store of its own
        nexus = Nexus(Origin().asgi, Settings(**{"admin_token": TOKEN} | settings), access=access)
        nexus.runtime.__dict__["queues"] = queues or Queues({"email-queue": QUEUE})
        nexus.runtime.log.writer.put = lines.append
        desk = Desk(asgi_door, nexus)
        desk.log = lines
        made.append(nexus)
        return desk

    lines, made = [], []
    yield make
    for nexus in made:
        asgi_door.loop.run_until_complete(nexus.runtime.aclose())


@pytest.fixture
def desk(make):
    return make()
