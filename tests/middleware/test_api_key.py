"""APIKey: who is let in, what the others are told, and that no spelling of a path gets round it."""

import hashlib
import hmac
import json
import os

import pytest

from nexus_middleware import APIKey, RateLimit, RequestLogger, ResponseCache, Rule, SettingsError, by_api_key
from nexus_middleware.middleware import api_key
from tests.connection import Connection
from tests.helpers import Answer, Origin

KEY, OTHER = "a long secret", "ключ"
HASHED = "sha256:" + hashlib.sha256(OTHER.encode()).hexdigest()


def bring(door, app, key, path="/api/x", *, header="x-api-key", **options):
    value = None if key is None else key.encode().decode("latin-1")
    return door.get(app, path, headers=[] if value is None else [(header, value)], **options)


@pytest.mark.parametrize("keys", [[KEY, HASHED], {"shop": KEY, "mill": HASHED}, (KEY, HASHED)])
def test_who_brings_a_key_is_let_in(door, keys):
    app = APIKey(door.app(Origin()), keys)

    assert [bring(door, app, key).status for key in (KEY, OTHER)] == [200, 200]


def test_everyone_else_is_told_the_same(door):
    origin = Origin()
    app = APIKey(door.app(origin), {"shop": KEY, "mill": HASHED})
    wrong = [None, "", "wrong", KEY + "x", KEY[:-1], KEY.upper(), HASHED, "shop", "sha256:", f"{KEY}, {KEY}"]
    seen = [bring(door, app, key) for key in wrong]

    assert {(x.status, x.body, tuple(x.pairs)) for x in seen} == {(401, seen[0].body, tuple(seen[0].pairs))}
    assert seen[0].headers["www-authenticate"] == 'ApiKey realm="api", header="x-api-key"'
    assert seen[0].headers["content-type"] == "application/problem+json"
    assert json.loads(seen[0].body)["title"] == "Unauthorized"
    assert origin.asked == []


def test_of_two_keys_none_is_taken(asgi_door):  # a WSGI server joins them into one that is none
    app = APIKey(Origin().asgi, [KEY, OTHER])
    both = [("x-api-key", KEY), ("x-api-key", "wrong")]

    assert [asgi_door.get(app, "/api/x", headers=lines).status for lines in (both, both[::-1])] == [401, 401]


SPELLINGS = [
    "/api",
    "/api/x",
    "/API/x",
    "//api/x",
    "/api//x",
    "/api/",
    "/./api/x",
    "/open/../api/x",
    "/open/..;v=1/api/x",
    "/%61pi/x",
    "/api/../open",
    "/api/%2e%2e/open",
    "/api\x00/../api/x",
    "/api/\n",
]


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_of_a_path_gets_round_it(door, path):
    assert bring(door, APIKey(door.app(Origin()), [KEY]), None, path).status == 401


@pytest.mark.parametrize("path", ["/", "/apis", "/open/api/x", "/login"])
def test_other_paths_need_no_key(door, path):
    seen = bring(door, APIKey(door.app(Origin()), [KEY]), None, path)

    assert (seen.status, "vary" in seen.headers) == (200, False)


def test_all_paths_or_some_may_be_closed(door):
    everything = APIKey(door.app(Origin()), [KEY], paths="*")
    some = APIKey(door.app(Origin()), [KEY], paths=("/export", "/v1/*"))

    assert [bring(door, everything, None, path).status for path in ("/", "/a\0b")] == [401, 401]
    assert [bring(door, some, None, path).status for path in ("/export", "/v1/a", "/api/x")] == [401, 401, 200]


def test_below_a_mount_the_paths_hold_too(asgi_door):
    async def closed():
        scope = {"path": "/shop/api/x", "root_path": "/shop"}
        server = Connection(APIKey(Origin().asgi, [KEY]), **scope)
        head = await server.hear()
        await server.hear()
        await server.task
        return head["status"]

    assert asgi_door.loop.run_until_complete(closed()) == 401


def test_a_wsgi_mount_is_no_way_round():
    heads = []
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/shop", "PATH_INFO": "/api/x", "QUERY_STRING": ""}
    body = APIKey(Origin().wsgi, [KEY]).wsgi(environ, lambda line, headers, error=None: heads.append(line))
    body.close()

    assert heads == ["401 Unauthorized"]


def test_a_websocket_without_a_key_is_closed(asgi_door):
    async def closed():
        server = Connection(APIKey(Origin().asgi, [KEY]), type="websocket", scheme="ws", path="/api/live")
        server.tell(type="websocket.connect")
        told = await server.hear()
        await server.task
        return told

    assert asgi_door.loop.run_until_complete(closed()) == {"type": "websocket.close", "code": 1008}


def test_the_header_may_be_another(door):
    app = APIKey(door.app(Origin()), [KEY], header="X-Shop-Key")

    assert bring(door, app, KEY, header="x-shop-key").status == 200
    refused = bring(door, app, KEY)
    assert (refused.status, refused.headers["vary"]) == (401, "x-shop-key")


def test_every_key_is_compared_by_its_digest_whichever_fits(door, monkeypatch):
    compared, real = [], hmac.compare_digest

    def compare(a, b):
        compared.append((len(a), len(b)))
        return real(a, b)

    monkeypatch.setattr(api_key.hmac, "compare_digest", compare)
    app = APIKey(door.app(Origin()), ["first", "second", "third"])
    for key in ("first", "third", "none of them", "x" * 10_000):
        compared.clear()
        bring(door, app, key)
        assert compared == [(32, 32)] * 3


def test_names_reach_the_app_the_log_and_the_limits(door):
    lines, names = [], []

    def say(path, headers):
        names.append(origin.seen.api_key)
        return Answer()

    origin = Origin(say)
    limit = RateLimit(door.app(origin), [Rule("1/minute", key=by_api_key)])
    app = RequestLogger(APIKey(limit, {"shop": KEY, "mill": OTHER}), log=lines.append)

    assert [bring(door, app, key).status for key in (KEY, KEY, OTHER, None)] == [200, 429, 200, 401]
    assert (names, [line.caller for line in lines]) == (["shop", "mill"], ["shop", "shop", "mill", ""])


@pytest.mark.parametrize(
    ("keys", "name"),
    [([OTHER], hashlib.sha256(OTHER.encode()).hexdigest()[:8]), ([f"mill={HASHED}"], "mill"), ({"m": HASHED}, "m")],
)
def test_a_key_has_the_name_it_was_given_or_a_piece_of_its_digest(door, keys, name):
    lines = []
    bring(door, RequestLogger(APIKey(door.app(Origin()), keys), log=lines.append), OTHER)

    assert lines[0].caller == name


@pytest.mark.parametrize("header", ["x-api-key", "x-shop-key"])
def test_what_one_key_opened_is_not_given_to_another_from_the_cache(door, header):
    origin = Origin(lambda path, headers: Answer(headers=[("cache-control", "max-age=60")]))
    app = APIKey(ResponseCache(door.app(origin)), [KEY, OTHER], header=header)
    seen = [bring(door, app, key, header=header) for key in (KEY, OTHER, KEY)]

    assert len(origin.asked) == 3
    assert {x.headers["vary"] for x in seen} == {header}
    assert bring(door, app, None).status == 401


def test_a_wrong_key_is_counted_by_a_limit_outside(door):
    app = RateLimit(APIKey(door.app(Origin()), [KEY]), "2/minute")

    assert [bring(door, app, str(i)).status for i in range(3)] == [401, 401, 429]


def test_in_shadow_nobody_is_refused_and_the_decision_says_who_would_have_been(door):
    told = []

    def say(path, headers):
        told.extend((d.verdict, d.status, d.why) for d in origin.seen.decisions)
        return Answer()

    origin = Origin(say)
    app = APIKey(door.app(origin), {"shop": KEY}, mode="shadow")
    seen = [bring(door, app, key) for key in (None, "wrong", KEY)]
    bring(door, app, None, "/")

    assert [x.status for x in seen] == [200] * 3
    assert told == [
        ("would answer", 401, "no key"),
        ("would answer", 401, "unknown key"),
        ("passed", None, "key shop"),
        ("passed", None, "needs no key"),
    ]
    assert origin.seen.api_key == ""  # nobody else may count or cache by it


@pytest.mark.parametrize(
    ("keys", "options", "told"),
    [
        ([], {}, "there is none"),
        ({}, {}, "there is none"),
        ([""], {}, "must not be empty"),
        ({"shop": ""}, {}, "must not be empty"),
        ([" hush"], {}, "nor begin or end with a space"),
        (["hush\n"], {}, "nor hold what is not printed"),
        (["sha256:hush"], {}, "64 digits"),
        (["hush until tomorrow"], {}, "after 'until' comes the last day"),
        (["hush until 2027-13-01"], {}, "after 'until' comes the last day"),
        ({"a": ["hush", "hush until 2027-01-01"]}, {}, "a key is given twice"),
        ({"a": "hush", "b": "hush"}, {}, "a key is given twice"),
        ({"a\nb": "hush"}, {}, "a name must be"),
        (["hush"], {"paths": ()}, r"paths=\(\) protects nothing"),
        (["hush"], {"paths": "api"}, "must begin with /"),
        (["hush"], {"header": "x key"}, "is no name of a header"),
    ],
)
def test_what_cannot_be_is_told_at_construction_without_the_key(keys, options, told):
    with pytest.raises(SettingsError, match=told) as error:
        APIKey(None, keys, **options)
    assert "hush" not in str(error.value)


def test_a_text_is_one_key_and_not_its_letters(door):
    app = APIKey(door.app(Origin()), KEY)

    assert [bring(door, app, key).status for key in (KEY, "a")] == [200, 401]


def test_of_two_keys_of_one_name_both_open_until_one_is_taken_out(door, tmp_path):
    path = tmp_path / "keys"
    old, new = (hashlib.sha256(key).hexdigest() for key in (b"old key", b"new key"))
    path.write_text(f"shop=sha256:{old}\nshop=sha256:{new}  # since Monday\n")
    origin = Origin()
    app = APIKey(door.app(origin), f"file:{path}", paths="*")

    def opened():
        return [door.get(app, headers=[("x-api-key", key)]).status for key in ("old key", "new key")]

    assert opened() == [200, 200]
    assert origin.seen.api_key == "shop"
    path.write_text(f"shop=sha256:{new}\n")
    os.utime(path, ns=(1, 1))
    app._keys._fresh.due = 0.0
    door.get(app, headers=[("x-api-key", "any")])
    with app._keys._fresh._lock:
        assert opened() == [401, 200]
    assert APIKey(None, {"shop": ["old key", "new key"]})


def test_a_file_of_keys_that_is_emptied_leaves_the_keys_as_they_were(door, tmp_path, caplog):
    path = tmp_path / "keys"
    path.write_text("old key\n")
    app = APIKey(door.app(Origin()), [path], paths="*")
    path.write_text("")
    app._keys._fresh.due = 0.0
    door.get(app, headers=[("x-api-key", "any")])
    with app._keys._fresh._lock:
        assert door.get(app, headers=[("x-api-key", "old key")]).status == 200
    assert "old key" not in caplog.text
    assert "there is none" in caplog.text
