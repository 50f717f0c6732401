"""What the caches count is told once, whoever tells it, and kept while the store is down."""

import pytest

from nexus_middleware.errors import StoreError
from nexus_middleware.services.cache import Cache
from nexus_middleware.stores.redis import RedisStore


def test_hits_and_misses_are_kept_while_the_store_is_down(own_server):
    store = RedisStore(own_server.url, budget=5)
    cache = Cache(store)
    cache.note(hits=3, misses=1)
    own_server.stop()
    for tell in (lambda: cache.tick(0.0), cache.stats):
        with pytest.raises(StoreError):
            tell()
    own_server.start()
    store._breaker._shut_until = 0.0  # as if half a second had passed
    assert (cache.stats().hits, cache.stats().misses) == (3, 1)
    store.close()


def test_what_a_tick_has_told_is_not_told_again(any_store):
    cache = Cache(any_store)
    cache.note(hits=3, misses=1)
    cache.tick(0.0)
    cache.tick(1.0)
    assert (cache.stats().hits, cache.stats().misses) == (3, 1)
