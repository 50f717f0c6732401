"""The strategies of `limits` in a real memcached: what it can count, and what happens while it is gone."""

import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nexus_middleware.errors import SettingsError, StoreError
from nexus_middleware.middleware.limits import Rule
from nexus_middleware.middleware.rate_limit import RateLimit
from nexus_middleware.rules.windows import Limit
from nexus_middleware.stores.borrowed import BorrowedStore
from nexus_middleware.stores.commands import Hit
from tests.conftest import free_port
from tests.helpers import Origin

CAN = ("fixed-window", "sliding-window-counter")


class Memcached:
    """A server of one test's own."""

    def __init__(self, program: str) -> None:
        self.port = free_port()
        self.url = f"memcached://127.0.0.1:{self.port}"
        options = ["-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-u", "nobody"]
        self.process = subprocess.Popen([program, *options], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, "memcached did not start"
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def memcached():
    program = shutil.which("memcached") or shutil.which("memcached", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("memcached is not installed; `make test` does so where it may")
    server = Memcached(program)
    yield server
    server.stop()


def statuses(door, app, n, **options):
    return [door.get(app, **options).status for _ in range(n)]


@pytest.mark.parametrize("strategy", CAN)
def test_the_limit_is_admitted_and_several_are_judged_before_any_is_counted(door, memcached, strategy):
    rules = [Rule("2/hour", name="few"), Rule("9/hour", name="dear", cost=3)]
    app = RateLimit(door.app(Origin()), rules, strategy=strategy, store=memcached.url)
    assert statuses(door, app, 4) == [200, 200, 429, 429]
    told = door.get(app)
    assert told.headers["ratelimit-policy"] == '"few";q=2;w=3600, "dear";q=9;w=3600'
    assert 0 < int(told.headers["retry-after"]) <= 3600
    assert statuses(door, app, 1, client="203.0.113.8") == [200]
    app.store.close()


def test_many_at_once_in_one_fixed_window_are_exact(memcached):
    store = BorrowedStore(memcached.url, "fixed-window")
    hit = Hit((("k", Limit(50, 3600.0, 1, "fixed-window")),))
    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda _: store.run([hit]), range(200))]
    assert sum(answer[0][0].allowed for answer in answers) == 50
    store.close()
    assert not store.run([hit])[0][0].allowed, "closed and used again, it connects again"
    store.close()


def test_while_it_is_gone_calls_are_counted_here(door, memcached):
    app = RateLimit(door.app(Origin()), "2/hour", strategy="fixed-window", store=memcached.url)
    assert statuses(door, app, 1) == [200]
    app.store.check()
    memcached.stop()
    assert statuses(door, app, 2) == [200, 429]
    with pytest.raises(StoreError):
        app.store.check()
    app.store.close()


def test_counts_are_forgotten_and_keys_begin_with_the_namespace(memcached):
    store, hit = (
        BorrowedStore(memcached.url, "fixed-window", "shop"),
        Hit((("k", Limit(1, 3600.0, 1, "fixed-window")),)),
    )
    assert [store.run([hit])[0][0].allowed for _ in range(2)] == [True, False]
    assert store._limiter.storage.get("shop/k/1/3600/second") == 2
    store.forget()
    assert store.run([hit])[0][0].allowed
    store.close()


def test_it_has_no_moving_window(memcached):
    with pytest.raises(SettingsError, match="moving-window"):
        RateLimit(None, "3/hour", strategy="moving-window", store=memcached.url)
