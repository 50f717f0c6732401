"""The chain: who is reached, what sees the body, what runs when the last byte has gone out, what is explained."""

from concurrent.futures import Future

import pytest

from nexus_middleware.http import Reply, problem
from nexus_middleware.middleware.layer import Layer
from nexus_middleware.middleware.request_id import RequestID
from nexus_middleware.stores.commands import Get, Put
from tests.helpers import Answer, Down, Origin


class Watch(Layer[None]):
    """Writes down each of its steps."""

    def __init__(self, app, name, log, *, refuses=False, fails=False, mode="enforce"):
        super().__init__(app, mode=mode)
        self.name, self.log, self.refuses, self.fails = name, log, refuses, fails

    def before(self, request, answer):
        if self.fails:
            raise RuntimeError(self.name)
        self.log.append(f"before {self.name}")
        return Reply(403) if self.refuses else None

    def after(self, request, head):
        self.log.append(f"after {self.name}")
        head.add(f"x-{self.name}".encode(), b"1")
        return lambda chunk, last: self.log.append(f"{self.name} saw {chunk!r} {last}")

    def done(self, request, status):
        self.log.append(f"done {self.name} {status}")

    def why(self, request):
        return f"because {self.name}"


def steps(log):
    return [line for line in log if " saw " not in line]


@pytest.mark.parametrize("fused", [True, False])
def test_a_refusal_passes_after_and_done_of_the_layers_it_came_through_and_of_no_other(door, fused):
    log = []
    join = door.inner if fused else door.gap
    inner = Watch(door.app(Origin()), "c", log)
    middle = Watch(join(inner), "b", log, refuses=True)
    outer = Watch(join(middle), "a", log)

    seen = door.get(outer)

    assert (seen.status, seen.headers.keys() & {"x-a", "x-b", "x-c"}) == (403, {"x-a", "x-b"})
    assert outer.chain.size == (3 if fused else 1)
    assert steps(log) == ["before a", "before b", "after b", "after a", "done a 403", "done b 403"] or (
        not fused
        and sorted(steps(log)) == sorted(["before a", "before b", "after b", "after a", "done a 403", "done b 403"])
    )


def test_a_bug_in_a_layer_is_a_500_dressed_by_those_around_it_and_reaches_the_server(door):
    log = []
    app = Watch(Watch(door.app(Origin()), "b", log, fails=True), "a", log)

    with pytest.raises(RuntimeError, match="b"):
        door.get(app)

    assert steps(log) == ["before a", *(["after a"] if door.name == "asgi" else []), "done a 500"]


def test_an_app_that_fails_before_its_head_is_answered_for_with_all_headers_and_its_error_goes_on(asgi_door):
    log, sent = [], []
    app = RequestID(Watch(Origin(lambda path, headers: Answer(fails=True)).asgi, "a", log))

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": [(b"x-request-id", b"r1")]}
    with pytest.raises(RuntimeError, match="the app failed"):
        asgi_door.loop.run_until_complete(app(scope, receive, send))

    start, body = sent
    assert start["status"] == 500
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    assert {(b"x-a", b"1"), (b"x-request-id", b"r1")} <= {*start["headers"]}
    assert b'"request_id":"r1"' in body["body"]


class Stumbles(Layer[None]):
    """Fails on the way out, and counts how often."""

    def __init__(self, app):
        super().__init__(app)
        self.runs = 0

    def after(self, request, head):
        self.runs += 1
        raise RuntimeError("on the way out")


def test_a_step_that_fails_on_the_way_out_is_not_run_again(door):
    app = Stumbles(door.app(Origin()))

    with pytest.raises(RuntimeError, match="on the way out"):
        door.get(app)

    assert app.runs == 1


def test_a_tap_sees_the_body_go_by_and_is_told_the_end_once(door):
    log = []
    app = Watch(door.app(Origin(lambda path, headers: Answer([b"ab", b"cd"]))), "a", log)
    door.get(app, on_chunk=lambda chunk: log.append(f"client got {chunk!r}"))

    asgi = ["a saw b'ab' False", "client got b'ab'", "a saw b'cd' True", "client got b'cd'"]
    wsgi = ["a saw b'ab' False", "client got b'ab'", "a saw b'cd' False", "client got b'cd'", "a saw b'' True"]
    assert log[2:-1] == (asgi if door.name == "asgi" else wsgi)


def test_where_the_length_is_announced_the_end_is_known_before_the_last_chunk_goes_out(door):
    log = []
    answer = Answer([b"ab", b"cd"], headers=[("content-length", "4")])
    app = Watch(door.app(Origin(lambda path, headers: answer)), "a", log)
    door.get(app, on_chunk=lambda chunk: log.append(f"client got {chunk!r}"))

    assert log[2:-1] == ["a saw b'ab' False", "client got b'ab'", "a saw b'cd' True", "client got b'cd'"]


def test_a_body_cut_short_is_never_called_whole(door):
    log = []
    answer = Answer([b"ab"], headers=[("content-length", "4")])
    door.get(Watch(door.app(Origin(lambda path, headers: answer)), "a", log))

    assert not [line for line in log if line.endswith("True")]


class Writes(Layer[None]):
    """Stores one thing before the last chunk, and another when it has gone out."""

    def after(self, request, head):
        return lambda chunk, last: Put("tap", b"1", 60) if last else None

    def done(self, request, status):
        return Put("done", b"1", 60)


def test_what_a_tap_puts_is_stored_before_the_last_chunk_and_what_done_puts_after_it(door, store):
    kept = []
    answer = Answer([b"ab"], headers=[("content-length", "2")])
    app = Writes(door.app(Origin(lambda path, headers: answer)), store=store)
    door.get(app, on_chunk=lambda _: kept.extend(store.run([Get("tap"), Get("done")])))

    assert kept == [b"1", None]
    assert store.run([Get("done")]) == [b"1"]


class Veil(Layer[None]):
    """Sends something else in place of an app's 500."""

    def after(self, request, head):
        return Reply(503, b"soon") if head.status == 500 else None


def test_an_after_may_replace_the_response_and_the_layers_outside_dress_the_new_one(door):
    inner, outer = [], []
    veiled = Veil(Watch(door.app(Origin(lambda path, headers: Answer([b"x", b"y"], status=500))), "in", inner))
    seen = door.get(Watch(veiled, "out", outer))

    assert (seen.status, seen.body, seen.headers) == (503, b"soon", {"content-length": "4", "x-out": "1"})
    assert outer[2:] == ["out saw b'soon' True", "done out 503"]
    assert inner[2] == "in saw b'x' False"
    assert inner[-1] == "done in 500"


class Asks(Layer[bytes]):
    """Answers with what it asked for, or says that there is none."""

    def ask(self, request):
        return Get(request.path)

    def before(self, request, answer):
        return Reply(200, answer) if answer is not None else None


def test_what_a_layer_asks_is_handed_to_it_by_any_store(door, any_store):
    any_store.run([Put("/known", b"kept", 60)])
    app = Asks(door.app(Origin()), store=any_store)

    assert [door.get(app, path).body for path in ("/known", "/other")] == [b"kept", b"ok"]


class Refuses(Layer[None]):
    def before(self, request, answer):
        return Reply(403) if request.path == "/no" else None


def test_a_step_before_the_first_that_asks_saves_the_trip(door, store):
    trips, run = [], store.run
    store.run = lambda commands: trips.append(commands) or run(commands)
    app = Refuses(Asks(door.app(Origin()), store=store))

    assert [door.get(app, path).status for path in ("/no", "/yes")] == [403, 200]
    assert len(trips) == 1


class Counts(Asks):
    counts = True


def test_a_layer_that_counts_does_not_join_a_chain_in_which_it_would_count_what_another_refuses(door, store):
    counting = Counts(door.app(Origin()), store=store)

    assert Asks(Refuses(counting), store=store).chain.size == 2
    assert Refuses(Counts(counting, store=store)).chain.size == 3


class Promises(Layer[bytes]):
    """Waits for one promise, whose outcome it answers with."""

    def __init__(self, app, promise):
        super().__init__(app)
        self.promise = promise

    def before(self, request, answer):
        return Reply(200, answer) if answer is not None else self.promise


def test_a_promise_is_waited_for_and_its_outcome_handed_to_the_same_step(door):
    promise = Future()
    promise.set_result(b"kept")

    assert door.get(Promises(door.app(Origin()), promise)).body == b"kept"


class Reads(Layer[None]):
    """Refuses a body that says no."""

    reads_body = True

    def reads(self, request):
        return request.method == "POST"

    def before(self, request, answer):
        return Reply(400) if request.body == b"no" else None


class Limits(Layer[None]):
    def before(self, request, answer):
        request.limit_body(5, lambda request, limit: problem(request, 413, "Too long."))


@pytest.mark.parametrize("body", [b"yes", [b"y", b"es"]])
def test_a_layer_may_read_the_body_and_the_app_still_gets_all_of_it(door, body):
    origin = Origin(lambda path, headers: Answer(reads=True))
    app = Reads(door.app(origin))

    assert [door.get(app, method="POST", body=b).status for b in (b"no", body)] == [400, 200]
    assert origin.bodies == [b"yes"]


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("body", [b"too long", [b"too", b" long"]])
def test_a_body_over_the_limit_is_refused_once_by_whoever_reads_it(door, reads, body):
    origin = Origin(lambda path, headers: Answer(reads=True))
    inner = door.app(origin)
    app = Limits(Reads(inner) if reads else inner)

    assert door.get(app, method="POST", body=body).status == 413
    assert door.get(app, method="POST", body=b"short").status == 200
    assert origin.bodies == [b"short"]


def test_a_store_that_is_down_answers_none_and_is_complained_of_once(door, caplog):
    origin = Origin()
    app = Asks(door.app(origin), store=Down())

    assert [door.get(app).status for _ in range(3)] == [200, 200, 200]
    assert origin.seen.degraded
    assert len([r for r in caplog.records if "the store is down" in r.message]) == 1


@pytest.mark.parametrize(("version", "closes"), [("1.1", True), ("2", False)])
def test_a_client_is_told_that_a_connection_ends_with_the_answer_to_an_app_that_failed(asgi_door, version, closes):
    sent = []

    async def app(scope, receive, send):
        raise RuntimeError("the app failed")

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "http_version": version, "method": "GET", "path": "/", "headers": [], "query_string": b""}
    with pytest.raises(RuntimeError):
        asgi_door.loop.run_until_complete(RequestID(app)({**scope, "scheme": "http"}, None, send))
    assert ((b"connection", b"close") in sent[0]["headers"]) is closes
