"""ResponseCache: what is stored, what is answered from it, and that nobody gets another's answer."""

import subprocess
import sys

import flask
import pytest

from nexus_middleware.errors import SettingsError
from nexus_middleware.middleware.request_timing import RequestTiming
from nexus_middleware.middleware.response_cache import CacheRule, ResponseCache
from nexus_middleware.rules.caching.conditions import matches
from nexus_middleware.rules.caching.fields import directives, seconds
from nexus_middleware.stores.base import Listening
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Answer, Down, Origin, WSGIDoor

FRESH = [("cache-control", "max-age=20"), ("etag", '"1"')]


def kept(*headers, **more):
    return Origin(lambda path, _: Answer([b"ab", b"cd"], headers=[*headers], **more))


def test_a_second_get_is_a_hit_that_runs_no_handler(door, clock):
    origin = kept(*FRESH)
    app = ResponseCache(door.app(origin), clock=clock)

    first, second = door.get(app, "/c/1"), door.get(app, "/c/1")
    assert (first.body, second.body, len(origin.asked)) == (b"abcd", b"abcd", 1)
    assert second.headers == {
        "cache-control": "max-age=20",
        "etag": '"1"',
        "age": "0",
        "cache-status": "nexus; hit; ttl=20",
        "content-length": "4",
    }
    assert "age" not in first.headers


def test_an_answer_is_stored_before_its_last_chunk_goes_out(door, clock):
    sizes = []
    app = ResponseCache(door.app(kept(("content-length", "4"), *FRESH)), clock=clock)
    door.get(app, on_chunk=lambda chunk: sizes.append(len(app.pages)))

    assert sizes == [0, 1]


def test_a_stored_answer_ages_and_is_fetched_again_when_it_is_stale(door, clock):
    origin = kept(*FRESH, ("age", "5"))
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)
    clock.now += 14.9
    assert door.get(app).headers["age"] == "19"
    clock.now += 0.1
    door.get(app)
    assert len(origin.asked) == 2


@pytest.mark.parametrize(
    "said",
    [
        [],
        [("cache-control", "no-store, max-age=9")],
        [("cache-control", "private, max-age=9")],
        [("cache-control", "no-cache, max-age=9")],
        [("cache-control", "max-age=0")],
        [("cache-control", "max-age=9, s-maxage=0")],
        [("cache-control", "max-age=x")],
        [("expires", "0")],
        [*FRESH, ("set-cookie", "a=1")],
        [*FRESH, ("vary", "*")],
    ],
)
def test_what_may_not_be_kept_is_not(door, clock, said):
    origin = kept(*said)
    app = ResponseCache(door.app(origin), clock=clock)
    for _ in range(2):
        door.get(app)
    assert len(origin.asked) == 2


@pytest.mark.parametrize("status", [201, 203, 301, 404, 410, 500])
def test_any_final_status_is_kept_that_says_how_long_it_is_fresh(door, clock, status):
    origin = kept(*FRESH, status=status)
    app = ResponseCache(door.app(origin), clock=clock)
    assert [door.get(app).status for _ in range(2)] == [status, status]
    assert len(origin.asked) == 1


@pytest.mark.parametrize(
    "asked", [{"method": "POST"}, *({"headers": [(n, "x")]} for n in ("authorization", "cookie", "x-api-key"))]
)
def test_what_is_asked_with_credentials_or_is_no_get_goes_by_the_cache(door, clock, asked):
    origin = kept(*FRESH)
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)
    for _ in range(2):
        assert "hit" not in door.get(app, **asked).headers.get("cache-status", "")
    assert len(origin.asked) == 3


def test_another_path_query_host_or_scheme_is_another_answer(door, clock):
    origin = kept(*FRESH)
    app = ResponseCache(door.app(origin), clock=clock)
    for _ in range(2):
        for asked in ({}, {"path": "/b"}, {"query": b"a=1"}, {"scheme": "https"}):
            door.get(app, **asked)
    assert len(origin.asked) == 4


def test_headers_that_the_key_does_not_hold_do_not_reach_a_stored_answer(door, clock):
    origin = Origin(
        lambda path, headers: Answer(
            [headers.get("x-forwarded-host", "none").encode()], headers=[*FRESH, ("vary", "x-forwarded-host")]
        )
    )
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app, headers=[("x-forwarded-host", "evil.example")])

    assert door.get(app).body == b"none"


def test_encodings_are_kept_apart_and_spellings_of_one_are_not(door, clock):
    origin = kept(*FRESH, ("vary", "Accept-Encoding"))
    app = ResponseCache(door.app(origin), clock=clock)
    for accepted in ("gzip, br", "br;q=0.9, gzip", "gzip, br;q=0", "identity", ""):
        door.get(app, headers=[("accept-encoding", accepted)])
    assert len(origin.asked) == 3


def test_who_has_the_answer_already_is_told_so(door, clock):
    app = ResponseCache(door.app(kept(*FRESH)), clock=clock)
    door.get(app)

    seen = door.get(app, headers=[("if-none-match", '"0", W/"1"')])
    assert (seen.status, seen.body, seen.headers["etag"]) == (304, b"", '"1"')
    assert door.get(app, headers=[("if-none-match", '"2"')]).status == 200


def test_many_who_ask_at_once_run_the_app_once(door, clock):
    origin = kept(*FRESH, pause=0.05)
    app = ResponseCache(door.app(origin), clock=clock)
    bodies = {seen.body for seen in door.many(100 if door.name == "asgi" else 20, app)}

    assert (bodies, len(origin.asked)) == ({b"abcd"}, 1)


def test_if_the_answer_cannot_be_kept_those_who_waited_ask_for_themselves(door, clock):
    origin = kept(pause=0.02)
    app = ResponseCache(door.app(origin), clock=clock)
    assert [seen.body for seen in door.many(10, app)] == [b"abcd"] * 10
    assert len(origin.asked) == 10


def test_if_the_app_fails_the_next_one_may_try(door, clock):
    origin = kept(*FRESH, fails=True)
    app = ResponseCache(door.app(origin), clock=clock)
    with pytest.raises(RuntimeError):
        door.get(app)
    origin.say = lambda path, headers: Answer(headers=FRESH)
    assert door.get(app).body == b"ok"


def test_a_body_over_the_bound_is_passed_on_and_not_stored(door, clock):
    origin = kept(*FRESH)
    app = ResponseCache(door.app(origin), clock=clock, max_entry=3)
    assert [door.get(app).body for _ in range(2)] == [b"abcd"] * 2
    assert (len(origin.asked), len(app.pages)) == (2, 0)


def test_memory_stays_within_its_bytes_under_a_flood_of_urls(door, clock):
    app = ResponseCache(door.app(kept(*FRESH)), clock=clock, max_bytes=20_000)
    for i in range(200):
        door.get(app, f"/{i}")
    assert 10_000 < app.pages.bytes <= 20_000


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 429, 500, 503, 302, 303, 307, 201])
def test_a_rule_keeps_no_error_and_nothing_that_is_soon_another_unless_that_says_so_itself(door, clock, status):
    said = []
    origin = Origin(lambda path, _: Answer([b"x"], status, [*said]))
    app = ResponseCache(door.app(origin), clock=clock, rules=[CacheRule("/*", ttl=60)])
    for _ in range(2):
        assert door.get(app, "/items").status == status
    assert len(origin.asked) == 2
    said.append(("cache-control", "max-age=60"))
    clock.now += 60
    for _ in range(2):
        door.get(app, "/items")
    assert len(origin.asked) == 3


@pytest.mark.parametrize(("size", "urls"), [(0, 800), (20_000, 100)])
def test_what_python_holds_for_a_flood_of_urls_is_within_the_bytes_too(size, urls):
    """In a process of its own, where nothing else allocates."""
    command = [sys.executable, "-m", "tests.middleware.flood", str(size), str(urls)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert 0 < int(told.stdout) <= 2**20


def test_a_rule_keeps_answers_that_say_nothing_themselves(door, clock):
    origin = kept()
    app = ResponseCache(
        door.app(origin), clock=clock, rules=[CacheRule(path="/courses/*", ttl=60, vary=("accept-language",))]
    )
    for _ in range(2):
        for path, language in (("/courses/1", "en"), ("/courses/1", "de"), ("/other", "en")):
            door.get(app, path, headers=[("accept-language", language)])
    assert len(origin.asked) == 4


def test_workers_share_what_is_kept_in_redis(door, redis_url):
    origin = kept(*FRESH)
    stores = [RedisStore(redis_url, budget=5) for _ in range(2)]
    apps = [ResponseCache(door.app(origin), store=store) for store in stores]

    assert [door.get(app).body for app in apps] == [b"abcd"] * 2
    assert len(origin.asked) == 1
    stores[0].client.config_resetstat()
    door.get(apps[1])
    assert stores[0].client.info("commandstats").get("cmdstat_get") is None
    for store in stores:
        store.close()


class Unheard(Down):
    def listen(self, channel, ear):
        ear.lost()
        return Listening()


def test_while_the_store_is_down_this_process_goes_on_by_itself(door, clock):
    origin = kept(*FRESH)
    app = ResponseCache(door.app(origin), store=Unheard(), clock=clock)
    assert [door.get(app).body for _ in range(3)] == [b"abcd"] * 3
    assert len(origin.asked) == 1


def test_a_time_of_nothing_is_told_at_construction(door):
    with pytest.raises(SettingsError, match="ttl of a CacheRule"):
        ResponseCache(door.app(kept()), rules=[CacheRule(path="/", ttl=0)])


def test_directives_are_read_as_the_rfc_says():
    assert directives(b'Max-Age="60", no-cache="a, b" ,x') == {b"max-age": b"60", b"no-cache": b"a, b", b"x": b""}
    assert [seconds(text) for text in (b"60", b"-1", b"1.5", b"", b"9" * 30)] == [60, 0, 0, 0, 2**31]
    assert [matches(wanted, b'"a"') for wanted in (b"*", b'W/"a"', b'"b", "a"', b"a")] == [True, True, True, False]


def test_a_hit_is_measured_under_the_route_of_the_page_it_stands_for(asgi_door):
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    def course(request):
        return PlainTextResponse("ok", headers={"cache-control": "max-age=20"})

    routes = []
    site = Starlette(routes=[Route("/courses/{number}", course)])
    app = RequestTiming(ResponseCache(site), record=lambda request, *facts: routes.append(request.route))

    answers = [asgi_door.get(app, "/courses/7") for _ in range(2)]

    assert "hit" in answers[1].headers["cache-status"]
    assert routes == ["/courses/{number}"] * 2


def test_under_wsgi_too():
    site, routes = flask.Flask("site"), []

    @site.get("/courses/<int:number>")
    def course(number):
        return "ok", {"cache-control": "max-age=20"}

    app = RequestTiming(ResponseCache(site.wsgi_app).wsgi, record=lambda request, *facts: routes.append(request.route))
    door = WSGIDoor()

    answers = [door.get(app, "/courses/7") for _ in range(2)]

    assert "hit" in answers[1].headers["cache-status"]
    assert routes == ["/courses/<int:number>"] * 2
