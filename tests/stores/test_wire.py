"""One trip on a connection of redis-py's: what is said, what is heard, and what a trip that was cut off leaves behind."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from nexus_middleware.rules.windows import Limit
from nexus_middleware.stores.commands import Hit
from nexus_middleware.stores.wire import packed, travel


@pytest.fixture
async def client(redis_url):
    client = Redis.from_url(redis_url, protocol=2)
    yield client
    await client.aclose()


@pytest.mark.parametrize(
    "words", [("SET", "ключ", b"\x00\r\n", "PX", 1000, "NX"), ("SCRIPT LOAD", b"return 1"), ("GET", "")]
)
def test_a_command_is_written_as_redis_py_writes_it(words):
    pack = Redis().connection_pool.make_connection().pack_command
    assert packed(words) == b"".join(pack(*words))


@pytest.mark.anyio
async def test_what_the_server_says_of_one_command_stands_in_its_place(client):
    said = await travel(client, [("SET", "k", 1), ("INCRBY", "k", "x"), ("GET", "k"), ("HGETALL", "none")])
    assert (said[0], said[2:]) == (True, [b"1", {}])
    assert isinstance(said[1], ResponseError)


@pytest.mark.anyio
async def test_a_trip_that_is_given_up_leaves_no_reply_to_the_next(client):
    await travel(client, [("SET", "k", "mine"), ("SET", "other", "theirs")])
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await travel(client, [("GET", "other"), ("BLPOP", "nothing", 5)])
        assert await travel(client, [("GET", "k")]) == [b"mine"]
    assert len(client.connection_pool._available_connections) == 1


def test_a_limit_may_be_as_great_as_one_likes(any_store):
    hit = Hit((("k", Limit(10**13, 365 * 86_400.0, 10**10)),))
    assert any_store.run([hit])[0][0].remaining == 10**13 - 10**10
