"""One trip on a connection of redis-py's: what its pipeline does, without what that does besides for each command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from .pipeline import Words

HALVES = "surrogatepass"  # what callers name in JSON may hold half a character, and is a name like any other
AS_THEY_ARE = frozenset(("EVALSHA", "GET"))  # whose replies redis-py leaves alone


def packed(words: Words) -> bytes:
    r"""Write one command as Redis reads it (RESP, arrays of bulk strings).

    >>> packed(("GET", "k", 7))
    b'*3\r\n$3\r\nGET\r\n$1\r\nk\r\n$1\r\n7\r\n'
    """
    if " " in words[0]:  # SCRIPT LOAD
        words = (*words[0].split(" "), *words[1:])
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        text = word if isinstance(word, bytes) else str(word).encode("utf-8", HALVES)
        parts.append(b"$%d\r\n%b\r\n" % (len(text), text))
    return b"".join(parts)


async def travel(client: Any, commands: Sequence[Words]) -> list[Any]:
    """Send all commands at once and return their replies, an error that the server says of one in its place.

    Args:
        client: Of redis-py, for the running event loop.
        commands: None of which changes how the connection is spoken to.

    Raises:
        RedisError: the connection failed.
    """
    pool = client.connection_pool
    connection = await pool.get_connection()
    raws: list[Any] = []
    try:
        await connection.send_packed_command([packed(words) for words in commands])
        for words in commands:
            try:
                if words[0] in AS_THEY_ARE:
                    raws.append(await connection.read_response())
                else:
                    raws.append(await client.parse_response(connection, words[0]))
            except ResponseError as error:
                raws.append(error)
    except BaseException:  # replies may be under way still, which nobody else shall take for theirs
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)
    return raws
