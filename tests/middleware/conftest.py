"""Fixtures for the layers: each test runs through both doors."""

import pytest

from nexus_middleware.stores.memory import MemoryStore
from tests.helpers import ASGIDoor, Clock, WSGIDoor


@pytest.fixture(params=[ASGIDoor, WSGIDoor], ids=["asgi", "wsgi"])
def door(request):
    door = request.param()
    yield door
    door.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return MemoryStore(clock=clock)


@pytest.fixture
def any_store(store):
    return store


@pytest.fixture
def asgi_door():
    door = ASGIDoor()
    yield door
    door.close()
