"""RPCLimit: what is counted, how a refused call is told, and that streams pass untouched."""

import asyncio
import json
import socket
import threading
import time

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware import DecisionLog, RateLimit, RPCLimit, RPCRule
from nexus_middleware.middleware.rpc_limit import TOO_MANY, calls_of
from tests.helpers import Answer, Origin

KIND = ("content-type", "application/json")
RULES = [RPCRule("2/minute", method="tools/call", tool="search", name="search"), RPCRule("5/minute", name="all")]


def call(tool="search", *, method="tools/call", ident=1):
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": {"name": tool}}


def post(door, app, body, *, headers=(KIND,), path="/mcp", **options):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return door.get(app, path, method="POST", headers=headers, body=raw, **options)


@pytest.fixture
def origin():
    return Origin(lambda path, headers: Answer(reads=True))


def test_a_tool_is_counted_by_its_name_and_a_refusal_is_an_error_of_the_protocol(door, origin, store):
    app = RPCLimit(door.app(origin), RULES, path="/mcp", store=store)

    for _ in range(2):
        post(door, app, call())
    refused = post(door, app, call(ident="x-7"))

    assert len(origin.asked) == 2
    assert (refused.status, refused.headers["retry-after"]) == (200, "60")
    answer = json.loads(refused.body)
    assert (answer["id"], answer["jsonrpc"], answer["error"]["code"]) == ("x-7", "2.0", TOO_MANY)
    assert answer["error"]["data"] == {"retryAfter": 60, "violatedPolicies": ["rpc-search"]}
    post(door, app, call("other"))
    assert len(origin.asked) == 3


def test_a_refused_call_uses_up_nothing(door, origin, store):
    app = RPCLimit(door.app(origin), RULES, store=store)

    for _ in range(10):
        post(door, app, call())
    for _ in range(10):
        post(door, app, call("other"))

    assert len(origin.asked) == 5  # two searches, and three of what all have


def test_a_batch_counts_each_of_its_calls_and_is_let_through_whole_or_not_at_all(door, origin, store):
    app = RPCLimit(door.app(origin), RULES, store=store)
    note = {"jsonrpc": "2.0", "method": "note"}

    post(door, app, [call(ident=1), note])
    refused = post(door, app, [call(ident=2), call(ident=3), note])
    assert [x["id"] for x in json.loads(refused.body)] == [2, 3]
    assert len(origin.asked) == 1
    post(door, app, call(ident=4))
    assert len(origin.asked) == 2


def test_a_batch_with_more_calls_than_the_limit_ever_admits_is_refused_and_uses_up_nothing(door, origin, store):
    app = RPCLimit(door.app(origin), RULES, store=store)

    assert post(door, app, [call(ident=n) for n in range(3)]).status == 400
    assert [post(door, app, call()).status for _ in range(2)] == [200, 200]
    assert len(origin.asked) == 2


def test_a_notification_that_is_one_too_many_is_a_429(door, origin, store):
    app = RPCLimit(door.app(origin), [RPCRule("1/minute")], store=store)
    note = {"jsonrpc": "2.0", "method": "notifications/progress"}

    assert [post(door, app, note).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({}, (("content-type", "text/plain"),)),
        ({}, ()),
        ({"path": "/other"}, (KIND,)),
    ],
)
def test_what_is_no_call_passes_untouched(door, origin, store, options, headers):
    app = RPCLimit(door.app(origin), [RPCRule("1/minute")], path="/mcp", store=store)

    assert [post(door, app, call(), headers=headers, **options).status for _ in range(3)] == [200] * 3
    assert door.get(app, "/mcp", headers=[KIND]).status == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b'"x"', b'{"method": 5}', b"[" * 5000, b'{"method":"tools/call","params":[]}']
)
def test_what_is_no_json_rpc_counts_as_a_call_without_a_name_and_is_the_app_s_business(door, origin, store, body):
    app = RPCLimit(door.app(origin), [RPCRule("1/minute"), RPCRule("1/minute", tool="search", name="s")], store=store)

    assert post(door, app, body).status == 200
    assert post(door, app, body).status == 429


def test_the_app_still_gets_every_byte(door, origin, store):
    app = RPCLimit(door.app(origin), RULES, store=store)
    body = json.dumps(call()).encode()

    post(door, app, body)

    assert origin.bodies == [body]


def test_a_body_too_long_to_be_read_is_not_let_through_uncounted(door, origin, store):
    app = RPCLimit(door.app(origin), RULES, store=store)

    assert post(door, app, json.dumps(call("x" * 600_000)).encode()).status == 413
    assert origin.asked == []


def test_a_batch_without_end_is_refused(door, origin, store):
    app = RPCLimit(door.app(origin), [RPCRule("1000/minute")], store=store)

    assert post(door, app, [call(ident=n) for n in range(101)]).status == 400


def test_in_shadow_it_refuses_nobody_and_says_what_it_would_have_done(door, origin, store):
    app = RPCLimit(door.app(origin), [RPCRule("1/minute", name="one", mode="shadow")], store=store)

    assert [post(door, app, call()).status for _ in range(3)] == [200] * 3
    assert "would refuse" in origin.seen.decisions[-1].why


@pytest.mark.parametrize("long", [call("x" * 600_000), [call(ident=n) for n in range(101)], [call(), call()]])
def test_what_no_rule_in_shadow_could_count_passes_and_is_noted(door, origin, store, long):
    told = []
    rules = [RPCRule("1/minute", name="one", mode="shadow")]
    app = DecisionLog(door.inner(RPCLimit(door.app(origin), rules, store=store)), record=told.append)

    assert post(door, app, long).status == 200
    assert [x.outcome for x in told] == ["would refuse"]


def test_a_batch_that_a_rule_in_shadow_never_admits_leaves_the_other_rules_alone(door, origin, store):
    told = []
    rules = [RPCRule("1/minute", name="one", mode="shadow"), RPCRule("3/minute", name="binds")]
    app = DecisionLog(door.inner(RPCLimit(door.app(origin), rules, store=store)), record=told.append)
    batch = [call(ident=1), call(ident=2)]

    assert post(door, app, batch).body == b"ok"
    assert "error" in json.loads(post(door, app, batch).body)[0]
    assert [x.refusals for x in told] == [
        [("RPCLimit", "rpc-one", "would refuse")],
        [("RPCLimit", "rpc-one", "would refuse"), ("RPCLimit", "rpc-binds", "refused")],
    ]


def test_a_batch_that_a_rule_never_admits_is_that_rule_s_refusal(door, origin, store):
    told = []
    app = DecisionLog(
        door.inner(RPCLimit(door.app(origin), [RPCRule("1/minute", name="one")], store=store)), record=told.append
    )

    assert post(door, app, [call(ident=1), call(ident=2)]).status == 400
    assert told[0].refusals == [("RPCLimit", "rpc-one", "refused")]


def test_it_asks_after_its_body_and_not_with_the_limit_around_it(door, origin, store):
    app = RateLimit(door.inner(RPCLimit(door.app(origin), RULES, store=store)), "9/minute", store=store)

    for _ in range(3):
        post(door, app, call())

    assert len(origin.asked) == 2


@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["method", "params", "name", "id", "uri"]), x),
    )
)
def test_no_body_does_any_harm(body):
    calls = calls_of(json.dumps(body).encode())

    assert calls and all(isinstance(x.method, str) and isinstance(x.tool, str) for x in calls)


@pytest.fixture
def mcp_url():
    """A real MCP server with a tool, behind a limit, on a real socket."""
    from fastmcp import FastMCP

    server = FastMCP("library")

    @server.tool
    def search(words: str) -> str:
        return f"found {words}"

    @server.tool
    def lend(book: str) -> str:
        return f"lent {book}"

    app = RPCLimit(
        server.http_app(path="/mcp"),
        [RPCRule("2/minute", method="tools/call", tool="search", name="search")],
        path="/mcp",
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", proxy_headers=False, ws="none"))
    thread = threading.Thread(target=running.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not running.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/mcp"
    running.should_exit = True
    thread.join(10)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_real_mcp_client_is_told_by_an_error_and_goes_on_with_other_tools(mcp_url):
    from fastmcp import Client

    async def use():
        async with Client(mcp_url) as client:
            found = [(await client.call_tool("search", {"words": "x"})).data for _ in range(2)]
            with pytest.raises(Exception, match="Too many requests"):  # its own class, which is not ours to name
                await client.call_tool("search", {"words": "x"})
            lent = (await client.call_tool("lend", {"book": "y"})).data
            return found, lent

    found, lent = asyncio.run(use())

    assert found == ["found x"] * 2
    assert lent == "lent y"
