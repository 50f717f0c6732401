"""Where state is kept: in this process, or in Redis."""

from __future__ import annotations

from weakref import WeakValueDictionary

from ..errors import SettingsError
from .base import Store

_OPEN: WeakValueDictionary[tuple[str, str], Store] = WeakValueDictionary()  # a store dies with the last who uses it
CLUSTER = ("redis+cluster", "rediss+cluster")
REDIS = ("redis", "rediss", "unix", "valkey", "valkeys", "redis+sentinel", "rediss+sentinel", *CLUSTER)


def open_store(url: str, *, namespace: str = "nexus") -> Store:
    """Return the store that `url` names; in one process, the same URL is the same store.

    Raises:
        SettingsError: the URL is not one of ours.
    """
    store = _OPEN.get((url, namespace))
    if store is None:
        store = _OPEN[url, namespace] = _make(url, namespace)
    return store


def _make(url: str, namespace: str) -> Store:
    scheme = url.partition("://")[0]
    if scheme == "memory":
        from .memory import MemoryStore  # only what is used is imported

        return MemoryStore()
    if scheme in REDIS:
        from .redis import RedisStore  # only what is used is imported

        return RedisStore(url, namespace=namespace)
    raise SettingsError(f"no store for {scheme!r}: use memory:// or redis://host:port/db")
