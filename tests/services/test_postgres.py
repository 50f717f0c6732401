"""The helpers for asyncpg and psycopg on a real PostgreSQL, where one is installed; on every machine, test_instruments."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg
import psycopg
import pytest

from nexus_middleware.services.monitor import Monitor, instruments
from tests.conftest import free_port

FOUND = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")), *filter(None, [shutil.which("postgres")])]
pytestmark = pytest.mark.skipif(not FOUND, reason="no PostgreSQL is installed (on Debian: apt install postgresql)")
PLAIN, BROKEN = "SELECT 41 + 1 WHERE 'ada@example.org' = 'ada@example.org'", "SELECT * FROM nothing WHERE id = 7"
SHAPES = {"SELECT ? + ? WHERE ? = ?": 0, "SELECT * FROM nothing WHERE id = ?": 1}


@pytest.fixture(scope="module")
def postgres():
    """A server of the test's own, on this machine alone."""
    port, programs = free_port(), Path(FOUND[0]).parent
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    who = {"user": "nobody"} if os.getuid() == 0 else {}  # it refuses to run as root
    if who:
        shutil.chown(folder, **who)
    made = [programs / "initdb", "-D", folder / "data", "-U", "ada", "--auth=trust", "--no-sync", "--locale=C"]
    done = subprocess.run(made, check=False, capture_output=True, text=True, cwd="/", **who)
    assert done.returncode == 0, done.stderr
    words = ["-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", "", "-F"]
    with (folder / "told").open("w") as told:
        server = subprocess.Popen([programs / "postgres", *words], stdout=told, stderr=told, cwd="/", **who)
    url = f"postgresql://ada@127.0.0.1:{port}/postgres"
    try:
        reach(url)
        yield url
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder)


def reach(url):
    deadline = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the server did not begin"
            time.sleep(0.05)


@pytest.fixture
def monitor():
    return Monitor()


def counted(monitor):
    return {name: (row["count"], row["errors"]) for name, row in monitor.db_stats().items() if name in SHAPES}


def test_psycopg_tells_of_each_statement_and_of_one_that_fails(postgres, monitor):
    with psycopg.connect(postgres, cursor_factory=instruments.psycopg(monitor), autocommit=True) as connection:
        assert connection.execute(PLAIN).fetchone() == (42,)
        with connection.cursor() as cursor:
            cursor.execute(b"SELECT 1 + 1 WHERE 'a' = %s", ("a",))
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute(BROKEN)

    assert [*counted(monitor).values()] == [(2, 0), (1, 1)]
    assert not {"ada", "example", "41"} & {*" ".join(monitor.db_stats()).replace("@", " ").split()}


def test_psycopg_s_async_connection_does_too(postgres, monitor):
    async def ask():
        factory = instruments.psycopg(monitor, psycopg.AsyncCursor)
        async with await psycopg.AsyncConnection.connect(
            postgres, cursor_factory=factory, autocommit=True
        ) as connection:
            assert await (await connection.execute(PLAIN)).fetchone() == (42,)
            with pytest.raises(psycopg.errors.UndefinedTable):
                await connection.execute(BROKEN)

    asyncio.run(ask())

    assert counted(monitor) == {shape: (1, errors) for shape, errors in SHAPES.items()}


def test_asyncpg_s_pool_tells_of_each_statement_and_of_one_that_fails(postgres, monitor):
    async def ask():
        async with asyncpg.create_pool(postgres, min_size=1, init=instruments.asyncpg(monitor)) as pool:
            assert await pool.fetchval(PLAIN) == 42
            assert await pool.fetchval("SELECT $1::int WHERE pg_sleep(0.02) IS NOT NULL", 7) == 7
            with pytest.raises(asyncpg.UndefinedTableError):
                await pool.execute(BROKEN)

    asyncio.run(ask())

    assert counted(monitor) == {shape: (1, errors) for shape, errors in SHAPES.items()}
    (slow,) = [row for name, row in monitor.db_stats().items() if "pg_sleep" in name]
    assert slow["avg"] >= 20
