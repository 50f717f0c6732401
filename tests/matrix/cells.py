"""What must hold in every cell of the matrix; each check is a function, and its name the sentence."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import websockets.sync.client

from tests.matrix.asgi_apps import digest
from tests.matrix.gates import FIRST, SECOND
from tests.matrix.servers import Site, running

ASGI_SERVERS = ("uvicorn", "granian", "hypercorn", "gunicorn, uvicorn workers")
WSGI_SERVERS = ("gunicorn, gthread", "granian, wsgi", "hypercorn, wsgi")
ASGI_APPS = ("starlette", "fastapi", "litestar", "django_asgi", "quart", "falcon", "fastmcp", "fastmcp_sse")
WSGI_APPS = ("flask", "django_wsgi", "falcon_wsgi")
CELLS = [
    *((app, server) for app in ASGI_APPS for server in ASGI_SERVERS),
    *((app, server) for app in WSGI_APPS for server in WSGI_SERVERS),
]
SHORT = [  # each framework once, each server once or twice
    ("starlette", "granian"),
    ("fastapi", "uvicorn"),
    ("litestar", "hypercorn"),
    ("quart", "gunicorn, uvicorn workers"),
    ("falcon", "granian"),
    ("fastmcp", "uvicorn"),
    ("django_asgi", "hypercorn"),
    ("flask", "gunicorn, gthread"),
    ("django_wsgi", "granian, wsgi"),
]


def headers_of_ours_are_on_answers_of_all_kinds(site: Site) -> None:
    with site.client() as client:
        for path, status in (("/hello", 200), ("/nowhere", 404)):
            seen = client.get(path)
            assert seen.status_code == status
            assert seen.headers["x-content-type-options"] == "nosniff"
            assert len(seen.headers["x-request-id"]) == 32


def a_stream_comes_as_it_is_made(site: Site) -> None:
    with site.client() as client, client.stream("GET", "/stream/one") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        chunks = answer.iter_raw()
        assert next(chunks) == FIRST, "the first event is here while the second does not exist"
        (site.folder / "one").touch()
        assert b"".join(chunks) == SECOND


def a_websocket_echoes(site: Site) -> None:
    with websockets.sync.client.connect(site.url.replace("http", "ws") + "/ws", open_timeout=30) as socket:
        socket.send("hello")
        assert socket.recv(timeout=30) == "HELLO"


def an_upload_arrives_whole_or_is_told_413(site: Site) -> None:
    content = bytes(range(256)) * 2_000
    with site.client() as client:
        seen = client.post("/upload", files={"file": ("a.bin", content)})
        assert (seen.status_code, seen.text) == (200, digest(content))
        told = client.post("/upload", headers={"content-length": str(2**21)}, content=b"x" * 2**21)
        assert told.status_code == 413
        assert told.headers["content-type"] == "application/problem+json"


def a_file_arrives_whole(site: Site) -> None:
    with site.client() as client:
        seen = client.get("/file")
    assert seen.content == (site.folder / "page.bin").read_bytes()
    assert seen.headers["x-content-type-options"] == "nosniff"


def work_after_the_answer_holds_nobody_and_is_done(site: Site) -> None:
    with site.client() as client:
        assert client.get("/background/work").text == "accepted", "it waits for the gate, the client does not"
    (site.folder / "work").touch()
    until((site.folder / "work.done").exists)


def what_the_lifespan_left_is_there(site: Site) -> None:
    with site.client() as client:
        assert client.get("/state").text == "yes"


def below_a_prefix_it_answers_as_the_app_alone(site: Site) -> None:
    with site.client() as client:
        for path in ("/hello", "/nowhere", "/file"):
            alone, wrapped = client.get(f"/bare{path}"), client.get(f"/under{path}")
            assert (wrapped.status_code, wrapped.content) == (alone.status_code, alone.content)
            assert wrapped.headers["x-content-type-options"] == "nosniff"
        assert client.get("/under/livez").text == "ok\n"


def one_limit_holds_over_the_workers(site: Site) -> None:
    statuses = Counter(httpx.get(f"{site.url}/limited", trust_env=False, timeout=30).status_code for _ in range(20))
    assert statuses == {200: 12, 429: 8}


def a_tool_answers(site: Site, *, path: str = "/mcp") -> None:
    from fastmcp import Client
    from fastmcp.client.transports import SSETransport

    async def ask() -> object:
        async with Client(SSETransport(site.url + path) if (site.folder / "sse").exists() else site.url + path) as mcp:
            assert [tool.name for tool in await mcp.list_tools()] == ["add"]
            return (await mcp.call_tool("add", {"left": 2, "right": 3})).data

    assert asyncio.run(asyncio.wait_for(ask(), 60)) == 5


def a_stop_lets_what_is_under_way_end(site: Site) -> None:
    with site.client() as client, client.stream("GET", "/stream/last") as answer:
        chunks = answer.iter_raw()
        assert next(chunks) == FIRST
        site.process.send_signal(signal.SIGTERM)
        threading.Timer(0.5, (site.folder / "last").touch).start()
        assert b"".join(chunks) == SECOND
    assert site.process.wait(40) in (0, -signal.SIGTERM, 143)


def a_stop_ends_it(site: Site) -> None:
    site.process.send_signal(signal.SIGTERM)
    assert site.process.wait(40) in (0, -signal.SIGTERM, 143)


Check = Callable[[Site], None]
WEB: tuple[Check, ...] = (
    headers_of_ours_are_on_answers_of_all_kinds,
    a_stream_comes_as_it_is_made,
    an_upload_arrives_whole_or_is_told_413,
    a_file_arrives_whole,
    below_a_prefix_it_answers_as_the_app_alone,
    one_limit_holds_over_the_workers,
)
FULL: tuple[Check, ...] = (
    a_websocket_echoes,
    work_after_the_answer_holds_nobody_and_is_done,
    what_the_lifespan_left_is_there,
)
CHECKS: dict[str, tuple[Check, ...]] = {
    **dict.fromkeys(("starlette", "fastapi", "litestar", "quart", "falcon"), (*WEB, *FULL)),
    **dict.fromkeys(("fastmcp", "fastmcp_sse"), (a_tool_answers,)),
    "flask": (*WEB, work_after_the_answer_holds_nobody_and_is_done),
    **dict.fromkeys(("django_asgi", "django_wsgi", "falcon_wsgi"), WEB),
}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def checks(app: str, server: str) -> tuple[Check, ...]:
    """Return what a cell must pass, in order."""
    # of several workers, Hypercorn kills the others as soon as the first has ended: its own, with any app
    abrupt = server.startswith("hypercorn") or a_tool_answers in CHECKS[app]
    return (*CHECKS[app], a_stop_ends_it if abrupt else a_stop_lets_what_is_under_way_end)


def failures(app: str, server: str, site: Site) -> dict[str, str]:
    """Run all checks of a cell; return what failed, by the check's name."""
    failed = {}
    for check in checks(app, server):
        try:
            check(site)
        except Exception as error:  # noqa: BLE001  # the table shall be whole
            failed[check.__name__] = f"{type(error).__name__}: {error}"
    return failed


def cell(app: str, server: str, store: str, folder: Path) -> dict[str, str]:
    """Run one cell; return what failed."""
    workers = 1 if app == "fastmcp_sse" else 2  # a session of MCP over SSE lives in one process
    try:
        with running(app, server, store, folder, workers=workers) as site:
            if app == "fastmcp_sse":
                (folder / "sse").touch()
            failed = failures(app, server, site)
            return failed | ({"it told": site.told()} if failed else {})
    except AssertionError as error:
        return {"start": str(error)}
