"""Run the scripts of the queues: each is one step that cannot be cut in half."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ...errors import StoreError
from ...rules.retries import RETRIES

if TYPE_CHECKING:
    from redis import Redis

HOLD = 30  # seconds without a heartbeat after which a worker counts as dead
KEPT_DONE, KEPT_FAILED = 100, 500  # jobs a queue
KEPT_FOR = 365 * 86_400  # seconds
MOST_RESCUES = 3


def run(client: Redis, script: str, *args: object) -> Any:
    """Run `queue_<script>.lua` with `args`, of which the first two are RQ's prefix and ours.

    Raises:
        StoreError: the store did not answer, or refused.
    """
    from redis.exceptions import NoScriptError

    rq, ours, *rest = args
    text, digest = _text(script)
    words: Any = (digest, 0, rq, ours, moment(), *rest)
    with trip():
        try:
            return client.evalsha(*words)
        except NoScriptError:  # a new server, or one that was started again
            client.script_load(text)
            return client.evalsha(*words)


@contextmanager
def trip() -> Generator[None]:
    """Turn the errors of a trip to Redis into `StoreError`."""
    from redis.exceptions import RedisError  # loaded by those alone who have jobs

    from ...stores.refusals import hint

    try:
        yield
    except RedisError as error:
        reason = str(error) or type(error).__name__
        raise StoreError(f"the queues' store did not answer, or refused: {reason}{hint(error)}") from error


def moment() -> str:
    """Return the present as RQ writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@cache
def _text(script: str) -> tuple[str, str]:
    numbers = {
        "KEEP": KEPT_FOR,
        "KEPT_DONE": KEPT_DONE,
        "KEPT_FAILED": KEPT_FAILED,
        "RETRIES": RETRIES,
        "RESCUES": MOST_RESCUES,
        "HOLD": HOLD,
    }
    names = f"local {', '.join(numbers)} = {', '.join(map(str, numbers.values()))}\n"
    text = names + _read("common") + _read(script)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _read(name: str) -> str:
    return files("nexus_middleware.stores").joinpath(f"scripts/queue_{name}.lua").read_text("utf-8")
