"""The audit log: what the layers refused, counted and listed, for all processes, within bounds."""

from __future__ import annotations

import asyncio

import pytest

from nexus_middleware import APIKey, BodyLimit, IPFilter, RateLimit, RequestID, SecurityLog
from nexus_middleware.errors import StoreError
from nexus_middleware.rules.violations import Violation
from nexus_middleware.services.security import Ban, Event, Security
from nexus_middleware.services.security import events as module
from tests.helpers import Answer, Clock, Origin


@pytest.fixture
def security(any_store):
    return Security(any_store, clock=Clock(1_800_000_000.0))


def event(kind="blocked", at=1_800_000_000.0, **fields):
    return Event(kind, at, **fields)


def kinds(security):
    return sorted((e["kind"], e["action"], e["status"]) for e in security.events())


def stack(door, security, store, **options):
    layers = BodyLimit(APIKey(door.app(Origin()), {"shop": "a key"}, **options), 10)
    inner = IPFilter(RateLimit(layers, "2/minute", store=store), deny=["192.0.2.1"])
    return RequestID(SecurityLog(inner, record=security.note, clock=security._events._clock))


def test_each_refusal_of_a_layer_is_noted_once_and_no_layer_knows_of_it(door, store):
    security = Security(store, clock=Clock())
    app = stack(door, security, store)

    door.get(app, "/free")
    door.get(app, "/api/x?token=secret", headers=[("x-request-id", "one")])
    door.get(app, "/free")
    door.get(app, "/free", client="192.0.2.1")
    door.get(app, "/free", client="192.0.2.2", method="POST", body=b"x" * 11)

    assert kinds(security) == [
        ("bad_key", "refused", 401),
        ("blocked", "refused", 403),
        ("rate_limited", "refused", 429),
        ("too_large", "refused", 413),
    ]
    (told,) = security.events(kind="bad_key")
    assert {k: told[k] for k in ("client", "method", "layer", "detail", "request_id", "severity", "times")} == {
        "client": "203.0.113.7",
        "method": "GET",
        "layer": "APIKey",
        "detail": "no key",
        "request_id": "one",
        "severity": "medium",
        "times": 1,
    }


def test_what_shadow_mode_would_have_refused_is_noted_as_that(door, store):
    security = Security(store, clock=Clock())

    assert door.get(stack(door, security, store, mode="shadow"), "/api/x").status == 200

    assert kinds(security) == [("bad_key", "would refuse", 401)]


def test_layers_that_run_in_a_chain_of_their_own_are_watched_too(door, store):
    security = Security(store, clock=Clock())
    inner = IPFilter(door.app(Origin()), deny=["203.0.113.0/24"])
    app = SecurityLog(door.gap(inner), record=security.note)

    door.get(app)

    assert kinds(security) == [("blocked", "refused", 403)]


def test_a_body_that_grows_too_long_while_it_streams_is_noted(door, store):
    security = Security(store, clock=Clock())
    origin = Origin(lambda path, headers: Answer(reads=True))
    app = SecurityLog(BodyLimit(door.app(origin), 10), record=security.note)

    assert door.get(app, method="POST", body=[b"x" * 6, b"x" * 6]).status == 413

    assert kinds(security) == [("too_large", "refused", 413)]


def test_a_request_that_nobody_refuses_is_not_looked_at(door, store):
    app = stack(door, Security(store), store)
    app.chain.watches = [lambda passage: pytest.fail("it was looked at")]

    assert door.get(app, "/free").status == 200


def test_a_path_cannot_steer_a_terminal_nor_fill_the_store(door, store):
    security = Security(store, clock=Clock())

    door.get(stack(door, security, store), "/api/\r\n\x1b[2J" + "x" * 5000)

    (told,) = security.events()
    assert told["path"].isprintable()
    assert len(told["path"]) <= 200


def test_counts_and_list_are_the_same_from_every_process(any_store):
    clock = Clock(1_800_000_000.0)
    here, there = Security(any_store, clock=clock), Security(any_store, clock=clock)
    for security in (here, there):
        for _ in range(3):
            security.note(event("rate_limited", clock.now, client="203.0.113.7"))
        security.tick(clock.now)

    third = Security(any_store, clock=clock)
    assert third.counts()["rate_limited"] == 6
    assert [e["times"] for e in third.events()] == [3, 3]
    assert third.limited() == [{"client": "203.0.113.7", "refusals": 6}]
    assert asyncio.run(_all(third)) == (third.counts(), third.events(), third.limited(), third.history())


async def _all(security):
    try:
        return (
            await security.acounts(),
            await security.aevents(),
            await security.alimited(),
            await security.ahistory(),
        )
    finally:
        await security.store.aclose()


def test_counts_are_of_the_window(security):
    clock = security._events._clock
    for minutes in (0, 30, 60):
        clock.now = 1_800_000_000.0 + minutes * 60
        security.note(event(at=clock.now))

    assert security.counts(60)["blocked"] == 1
    assert security.counts(45 * 60)["blocked"] == 2
    assert security.counts(86_400)["blocked"] == security.counts(7 * 86_400)["blocked"] == 3
    assert [sum(step["counts"].values()) for step in security.history(3 * 3600)] == [1, 1, 1]


def test_the_list_is_found_by_kind_client_and_time_and_read_page_by_page(security):
    for n in range(10):
        security.note(event("cors" if n % 2 else "bad_key", 1_800_000_000.0 + n, client=f"203.0.113.{n}"))
        security.tick(0)

    assert [e["client"] for e in security.events(2, kind="cors")] == ["203.0.113.9", "203.0.113.7"]
    assert [e["kind"] for e in security.events(client="203.0.113.4")] == ["bad_key"]
    assert len(security.events(since=1_800_000_007.0)) == 3
    pages, cursor = [], ""
    while page := security.events(3, cursor=cursor):
        pages.append([e["client"][-1] for e in page])
        cursor = page[-1]["id"]
    assert pages == [["9", "8", "7"], ["6", "5", "4"], ["3", "2", "1"], ["0"]]


def test_blocking_and_letting_in_stand_on_the_same_list(security):
    security.block("203.0.113.9", reason="scans")
    security.note(event(client="203.0.113.9"))

    told = security.events(client="203.0.113.9")

    assert [(e["kind"], e["detail"], e["severity"]) for e in told] == [
        ("blocked", "", "low"),
        ("block", "scans", "medium"),
    ]


def test_who_is_banned_is_told_from_who_is_blocked(door, any_store):
    clock = Clock(1_800_000_000.0)
    security = Security(any_store, ban=Ban(after=2, statuses=(401,)), clock=clock)
    other = Security(any_store, clock=clock)  # another process, without bans of its own
    app = IPFilter(door.app(Origin(lambda path, headers: Answer(status=401))), blocked=other, strike=security.strike)
    app = SecurityLog(app, record=other.note, clock=clock)
    security.block("192.0.2.1")
    door.get(app), door.get(app)
    security.refresh(), other.refresh()

    assert [door.get(app, client=client).status for client in ("203.0.113.7", "192.0.2.1", "192.0.2.2")] == [
        403,
        403,
        401,
    ]

    assert other.counts() | {"banned": 1, "blocked": 1} == other.counts()
    told = [(e["kind"], e["client"], e["severity"]) for e in other.events() if e["status"] == 403]
    assert sorted(told) == [("banned", "203.0.113.7", "high"), ("blocked", "192.0.2.1", "medium")]
    assert {x["address"]: x["banned"] for x in other.blocked()} == {"203.0.113.7": True, "192.0.2.1": False}


def test_a_flood_is_counted_and_listed_within_bounds(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_EVENTS", 5)
    monkeypatch.setattr(module, "MOST_NAMES", 5)
    security = Security(store, clock=Clock(1_800_000_000.0))

    for n in range(100):
        security.note(event("rate_limited", client=f"198.51.100.{n}"))

    assert security.counts()["rate_limited"] == 100
    assert len(security.events()) == 5
    assert security.limited()[0] == {"client": "(other)", "refusals": 95}


def test_what_a_store_that_is_down_did_not_take_is_told_later(store, monkeypatch):
    security = Security(store, clock=Clock(1_800_000_000.0))
    security.note(event())
    with monkeypatch.context() as down:
        down.setattr(store, "run", _fails)
        with pytest.raises(StoreError):
            security.tick(0)
    security.note(event())

    assert security.counts()["blocked"] == 2
    assert security.events()


def _fails(commands):
    raise StoreError("down")


def test_reports_are_grouped_and_the_first_of_a_kind_is_listed(security):
    class Asked:
        client = "203.0.113.7"

    often, once = (Violation("img-src", origin, "/cart", "enforce") for origin in ("https://a.example", "data:"))
    for violation in (often, once, often, often):
        security.violated(Asked, violation)

    groups = security.csp_reports()
    assert [(group["blocked"], group["count"]) for group in groups] == [("https://a.example", 3), ("data:", 1)]
    assert groups[0]["last"] == 1_800_000_000.0
    assert security.counts()["csp"] == 4
    assert [e["detail"] for e in security.events(kind="csp")] == ["img-src data:", "img-src https://a.example"]
