"""Instruments: libraries tell the monitor of their queries, calls and errors, and still do what they did."""

import asyncio
import sqlite3
from types import SimpleNamespace

import flask
import httpx
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

from nexus_middleware import RequestTiming
from nexus_middleware.services.monitor import Monitor, instruments
from tests.djangos import configured
from tests.helpers import Answer, Origin, WSGIDoor

SELECT = "SELECT ? WHERE ? = ?"


@pytest.fixture
def monitor():
    return Monitor()


def counted(monitor):
    return {query: (row["count"], row["errors"]) for query, row in monitor.db_stats().items()}


def test_sqlalchemy_tells_of_each_statement_and_of_one_that_fails(monitor):
    engine = sqlalchemy.create_engine("sqlite://")
    instruments.sqlalchemy(engine, monitor)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT 7 WHERE 1 = :one"), {"one": 1}).scalar() == 7
        with pytest.raises(sqlalchemy.exc.OperationalError):
            connection.execute(sqlalchemy.text("SELECT nothing"))
        connection.execute(sqlalchemy.text("SELECT 8 WHERE 1 = 1"))
    engine.dispose()
    assert counted(monitor) == {SELECT: (2, 0), "SELECT nothing": (1, 1)}


def test_sqlalchemy_s_async_engine_does_too(monitor):
    async def ask():
        engine = create_async_engine("sqlite+aiosqlite://")
        instruments.sqlalchemy(engine, monitor)
        async with engine.connect() as connection:
            await connection.execute(sqlalchemy.text("SELECT 7 WHERE 1 = 1"))
        await engine.dispose()

    asyncio.run(ask())
    assert counted(monitor) == {SELECT: (1, 0)}


def test_sqlite3_tells_of_connection_and_cursor(monitor):
    connection = sqlite3.connect(":memory:", factory=instruments.sqlite3(monitor))
    assert connection.execute("SELECT 7 WHERE 1 = ?", (1,)).fetchall() == [(7,)]
    connection.cursor().execute("SELECT 8 WHERE 2 = 2")
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT nothing")
    connection.close()
    assert counted(monitor) == {SELECT: (2, 0), "SELECT nothing": (1, 1)}


def test_django_tells_of_queries_and_of_exceptions(monitor):
    from django.core.signals import got_request_exception

    configured()
    from django.db.utils import ConnectionHandler

    instruments.django(monitor)
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    with handler["default"].cursor() as cursor:
        cursor.execute("SELECT 7 WHERE 1 = %s", [1])
        assert cursor.fetchall() == [(7,)]
    handler["default"].close()
    try:
        {}["no such course"]
    except KeyError:
        got_request_exception.send(None)
    assert counted(monitor) == {SELECT: (1, 0)}
    assert monitor.history.errors()["items"][0]["type"] == "KeyError"


def test_flask_tells_of_what_a_view_raises(monitor):
    site = flask.Flask("site")

    @site.get("/")
    def view():
        raise ValueError("bad 'secret'")

    instruments.flask(site, monitor)
    app = RequestTiming(site.wsgi_app, record=monitor.record)
    site.logger.disabled = True
    assert WSGIDoor().get(app).status == 500

    (error,) = monitor.history.errors()["items"]
    assert (error["type"], error["count"], error["message"]) == ("ValueError", 1, "bad …")


def test_httpx_tells_of_calls_by_host_and_of_one_without_an_answer(monitor):
    def answer(request):
        if request.url.path == "/gone":
            raise httpx.ConnectError("refused")
        return httpx.Response(503 if request.url.path == "/down" else 200)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        instruments.httpx(client, monitor)
        assert client.get("https://api.example.org/a?key=secret").status_code == 200
        client.get("https://api.example.org/down")
        with pytest.raises(httpx.ConnectError):
            client.post("https://api.example.org/gone")

    async def ask():
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            instruments.httpx(client, monitor)
            assert (await client.get("https://api.example.org/a")).status_code == 200

    asyncio.run(ask())
    rows = {row["name"]: (row["count"], row["errors"]) for row in monitor.history.calls("1h")["items"]}
    assert rows == {"GET api.example.org": (3, 1), "POST api.example.org": (1, 1)}


def test_asyncpg_s_query_logger_is_heard(monitor):
    loggers = []
    connection = SimpleNamespace(add_query_logger=loggers.append)
    asyncio.run(instruments.asyncpg(monitor)(connection))
    loggers[0](SimpleNamespace(query="SELECT $1", elapsed=0.25, exception=None))
    loggers[0](SimpleNamespace(query="SELECT $1", elapsed=0.75, exception=ValueError()))
    row = monitor.db_stats()["SELECT ?"]
    assert (row["count"], row["errors"], row["slow"], row["avg"]) == (2, 1, 1, 500)


class Plain:
    """A cursor such as psycopg's, without a server."""

    def __init__(self):
        self.asked = []

    def execute(self, query, params=None, *, prepare=None):
        self.asked.append((query, params, prepare))
        return self


class Async(Plain):
    async def execute(self, query, params=None):
        if query == "fails":
            raise LookupError
        self.asked.append((query, params))
        return self


def test_psycopg_s_cursors_pass_on_all_they_are_given(monitor):
    from psycopg import AsyncCursor, Cursor

    cursor = instruments.psycopg(monitor, Plain)()
    assert cursor.execute(b"SELECT 1 WHERE 2 = 3", (1,), prepare=True) is cursor
    assert cursor.asked == [(b"SELECT 1 WHERE 2 = 3", (1,), True)]

    async def ask():
        made = instruments.psycopg(monitor, Async)()
        assert await made.execute("SELECT 1 WHERE 2 = 3") is made
        with pytest.raises(LookupError):
            await made.execute("fails")

    asyncio.run(ask())
    assert counted(monitor) == {SELECT: (2, 0), "fails": (1, 1)}
    assert issubclass(instruments.psycopg(monitor), Cursor)
    assert issubclass(instruments.psycopg(monitor, AsyncCursor), AsyncCursor)


def test_what_an_app_raises_is_grouped_by_the_line_that_raised_it(door, monitor):
    app = RequestTiming(door.app(Origin(lambda path, headers: Answer(fails=True))), record=monitor.record)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            door.get(app)

    (error,) = monitor.history.errors()["items"]

    assert (error["type"], error["count"], error["message"]) == ("RuntimeError", 3, "the app failed")
    assert "helpers.py:" in error["where"]
    assert error["traceback"][-1].endswith('raise RuntimeError("the app failed")')
    assert error["endpoint"] == "GET (no route)"
