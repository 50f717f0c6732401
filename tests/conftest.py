"""What all tests may use: a real server of our own, both stores, a clock that stands still."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest
import redis

from nexus_middleware import stores
from nexus_middleware.services.logs.writer import flush_all
from nexus_middleware.stores import borrowed
from nexus_middleware.stores.embedded import find_server
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import ASGIDoor, Clock, WSGIDoor


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what is no test: apps and programs that tests start, where only the package's examples are wanted."""
    return (
        True if collection_path.suffix == ".py" and not collection_path.name.startswith(("test_", "conftest")) else None
    )


class Server:
    """A Redis server of one test's or one session's own."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        options = f"--port {self.port} --bind 127.0.0.1 --dir {self.folder} --appendonly no".split()
        self.process = subprocess.Popen([find_server(), *options, "--save", ""], stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port, socket_timeout=5)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.01)
            else:
                return

    def stop(self, *, kill: bool = False) -> None:
        self.client.close()
        self.process.kill() if kill else self.process.terminate()
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server):
    """The URL of an empty server that the whole session shares."""
    redis_server.client.flushall()
    return redis_server.url


@pytest.fixture
def own_server(tmp_path):
    """A server that the test may stop."""
    server = Server(tmp_path)
    yield server
    server.stop(kill=True)


@pytest.fixture(autouse=True)
def _a_memory_of_its_own():
    """`memory://` names one store per process; each test begins with an empty one."""
    stores._OPEN.clear()
    borrowed._OPEN.clear()


@pytest.fixture(autouse=True)
def _no_late_lines():
    """What a test's logs still have to write is written before the next one captures its output."""
    yield
    flush_all()


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=[ASGIDoor, WSGIDoor], ids=["asgi", "wsgi"])
def door(request):
    door = request.param()
    yield door
    door.close()


@pytest.fixture
def asgi_door():
    door = ASGIDoor()
    yield door
    door.close()


@pytest.fixture
def store(clock):
    return MemoryStore(clock=clock)


@pytest.fixture(params=["memory", "redis"])
def any_store(request, clock):
    """Both stores; what is promised of one must hold for the other. Close over a door's loop with `close_in`."""
    if request.param == "memory":
        yield MemoryStore(clock=clock)
        return
    store = RedisStore(request.getfixturevalue("redis_url"), budget=5, clock=clock)
    yield store
    store.close()
