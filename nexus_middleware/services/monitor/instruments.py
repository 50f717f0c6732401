"""Have libraries that an app uses tell the monitor of queries, calls and errors: one line each."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .measures import Measures

C = TypeVar("C")
now = time.perf_counter
EXECUTES = ("execute", "executemany", "executescript")


def sqlalchemy(engine: Any, monitor: Measures) -> None:
    """Note every statement of an `Engine` or `AsyncEngine`: `sqlalchemy(engine, nexus.monitor)`."""
    from sqlalchemy import event

    engine = getattr(engine, "sync_engine", engine)

    def before(conn: Any, *_: Any) -> None:
        conn.info.setdefault("nexus_began", []).append(now())

    def after(conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        monitor.track_db(statement, (now() - conn.info["nexus_began"].pop()) * 1000)

    def failed(context: Any) -> None:
        if context.statement is not None and context.connection is not None:
            began = context.connection.info.get("nexus_began")
            if began:
                monitor.track_db(context.statement, (now() - began.pop()) * 1000, failed=True)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)


def django(monitor: Measures) -> None:
    """Note every query of every connection, and every exception of a view; call it once, as in `AppConfig.ready`."""
    import sys

    from django.core.signals import got_request_exception  # type: ignore[import-untyped]
    from django.db import connections  # type: ignore[import-untyped]
    from django.db.backends.signals import connection_created  # type: ignore[import-untyped]

    def wrap(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  # Django's
        return _timed(monitor, sql, lambda: execute(sql, params, many, context))

    def created(connection: Any, **_: Any) -> None:
        if wrap not in connection.execute_wrappers:
            connection.execute_wrappers.append(wrap)

    def raised(**_: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, Exception):
            monitor.track_error(error)

    connection_created.connect(created, weak=False, dispatch_uid="nexus_middleware")
    got_request_exception.connect(raised, weak=False, dispatch_uid="nexus_middleware")
    for connection in connections.all(initialized_only=True):
        created(connection)


def flask(app: Any, monitor: Measures) -> None:
    """Note every exception of a view, which Flask answers before a layer could see it."""
    from flask import got_request_exception

    def raised(_sender: Any, exception: BaseException, **_: Any) -> None:
        monitor.track_error(exception)

    got_request_exception.connect(raised, app, weak=False)


def sqlite3(monitor: Measures) -> Any:
    """Return what `sqlite3.connect(path, factory=…)` takes, so that every query of the connection is noted."""
    import sqlite3

    cursors = timed_cursor(sqlite3.Cursor, monitor)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = cursors) -> Any:
            return super().cursor(factory)

        def execute(self, *args: Any) -> Any:
            return self.cursor().execute(*args)

        def executemany(self, *args: Any) -> Any:
            return self.cursor().executemany(*args)

    return Connection


def psycopg(monitor: Measures, base: Any = None) -> Any:
    """Return what `psycopg.connect(…, cursor_factory=…)` takes; for an `AsyncConnection` give `psycopg.AsyncCursor`."""
    if base is None:
        from psycopg import Cursor

        base = Cursor
    return timed_cursor(base, monitor)


def asyncpg(monitor: Measures) -> Callable[[Any], Awaitable[None]]:
    """Return what `create_pool(…, init=…)` of asyncpg takes; it is a coroutine function of one connection."""

    def note(record: Any) -> None:
        monitor.track_db(record.query, record.elapsed * 1000, failed=record.exception is not None)

    async def init(connection: Any) -> None:
        connection.add_query_logger(note)

    return init


def httpx(client: Any, monitor: Measures) -> None:
    """Note every call of a `Client` or `AsyncClient`, by method and host; 0 stands for no answer."""
    send = client.send

    def note(request: Any, began: float, response: Any) -> None:
        status = 0 if response is None else response.status_code
        monitor.track_api_call(f"{request.method} {request.url.host}", (now() - began) * 1000, status)

    def timed(request: Any, **options: Any) -> Any:
        began, response = now(), None
        try:
            response = send(request, **options)
            return response
        finally:
            note(request, began, response)

    async def atimed(request: Any, **options: Any) -> Any:
        began, response = now(), None
        try:
            response = await send(request, **options)
            return response
        finally:
            note(request, began, response)

    client.send = atimed if inspect.iscoroutinefunction(send) else timed


def timed_cursor(base: type[C], monitor: Measures) -> type[C]:
    """Return a subclass of a DB-API cursor, plain or async, whose queries are noted."""
    methods = {name: _method(getattr(base, name), monitor) for name in EXECUTES if hasattr(base, name)}
    made: Any = type(base.__name__, (base,), methods)
    return made  # type: ignore[no-any-return]


def _method(execute: Callable[..., Any], monitor: Measures) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(execute):

        async def arun(self: Any, query: Any, *args: Any, **options: Any) -> Any:
            began, failed = now(), True
            try:
                answer = await execute(self, query, *args, **options)
                failed = False
                return answer
            finally:
                monitor.track_db(_text(query), (now() - began) * 1000, failed=failed)

        return arun

    def run(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        return _timed(monitor, _text(query), lambda: execute(self, query, *args, **options))

    return run


def _timed(monitor: Measures, query: str, run: Callable[[], C]) -> C:
    began, failed = now(), True
    try:
        answer = run()
        failed = False
        return answer
    finally:
        monitor.track_db(query, (now() - began) * 1000, failed=failed)


def _text(query: Any) -> str:
    """Return a query as text; psycopg takes bytes and objects that compose SQL as well."""
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    return query if isinstance(query, str) else str(getattr(query, "as_string", lambda: repr(query))())
