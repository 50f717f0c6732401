"""Bytes that no client library would send, to real servers of both doors: an answer or a closed line, no failure of ours."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import free_port
from tests.faults.test_fuzz import EXAMPLES, MADE, STACK
from tests.frameworks.outage import ROOT

APP = """
import dataclasses
from nexus_middleware import Nexus, Rule
from nexus_middleware.middleware.keys import by_api_key
from tests.faults.test_fuzz import STACK

rules = [Rule("1000000/minute", key=by_api_key, name="key", path="/api/*")]

async def hello(scope, receive, send):
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=60")]})
        await send({"type": "http.response.body", "body": b"hello"})

def plain(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", [("cache-control", "max-age=60")])
    return [b"hello"]

app = Nexus(hello, STACK, rules=rules)
wsgi = Nexus(plain, STACK, rules=rules).wsgi
"""
SERVERS = {
    "uvicorn-httptools": ["uvicorn", "raw_app:app", "--http", "httptools", "--log-level", "critical", "--port"],
    "uvicorn-h11": ["uvicorn", "raw_app:app", "--http", "h11", "--log-level", "critical", "--port"],
    "gunicorn": ["gunicorn", "raw_app:wsgi", "--threads", "4", "--log-level", "critical", "--bind"],
}
RAW = st.binary(max_size=80)


@pytest.fixture(params=[*SERVERS])
def port(request, tmp_path):
    (tmp_path / "raw_app.py").write_text(APP)
    port, words = free_port(), SERVERS[request.param]
    where = str(port) if words[-1] == "--port" else f"127.0.0.1:{port}"
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    server = subprocess.Popen([sys.executable, "-m", *words, where], env=env, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while b" 200 " not in asked(port, b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.1)
    yield port
    server.terminate()
    server.wait(20)


def asked(port, request):
    """Return the first line of the answer; b"" if the line was closed without one."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            return line.recv(65_536).partition(b"\r\n")[0]
    except ConnectionError:
        return b""


def written(made, junk):
    """Return a request as bytes; `junk` stands in a cookie, in the query and in a header of its own."""
    opened = [("authorization", f"Bearer {STACK.admin_token}")] if made["opened"] else []
    said = [*opened, *made["headers"], *([("content-type", made["kind"])] if made["kind"] else [])]
    lines = [name.encode() + b": " + value.encode("latin-1") for name, value in said]
    lines += [b"cookie: a=" + junk.replace(b"\n", b""), b"x-junk: " + junk.replace(b"\n", b"")]
    target = made["path"].encode() + b"?" + made["query"] + junk.translate(None, b" \r\n")
    head = b"%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" % (made["method"].encode() or b"GET", target)
    return head + b"\r\n".join(lines) + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(made["body"]), made["body"])


def test_no_bytes_make_a_failure_of_ours_and_the_server_goes_on(port):
    seen = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[*HealthCheck])
    @given(MADE, RAW)
    def fuzz(made, junk):
        line = asked(port, written(made, junk))
        seen[line[9:12]] += 1
        assert line[9:10] != b"5", line

    fuzz()
    assert seen[b"400"] or seen[b""], "some were refused by the server itself"
    assert sum(seen.values()) - seen[b"400"] - seen[b""] > EXAMPLES // 20, "and some came to us"
