"""IPFilter: lists, files and functions that change while the app runs, and bans."""

import os
import threading

import pytest

from nexus_middleware.errors import SettingsError
from nexus_middleware.middleware.ip_filter import IPFilter
from nexus_middleware.middleware.rate_limit import RateLimit
from nexus_middleware.rules.bans import Ban
from nexus_middleware.services.security import Security
from nexus_middleware.stores import blocks
from nexus_middleware.stores.fresh import Fresh
from tests.helpers import Answer, Clock, Origin


def statuses(door, app, n, **options):
    return [door.get(app, **options).status for _ in range(n)]


def read_again(app, option):
    """Let the next look at the list read it at once, and wait until it has."""
    fresh = getattr(app, f"_{option}")._source._fresh
    fresh.due = 0.0
    fresh.poke()
    with fresh._lock:
        return


def test_networks_are_denied_and_only_allowed_ones_let_in(door):
    app = IPFilter(door.app(Origin()), allow=["203.0.113.0/24", "2001:db8::/32"], deny=["203.0.113.9"])
    calls = {"203.0.113.7": 200, "203.0.113.9": 403, "198.51.100.1": 403, "2001:db8::1": 200, "::ffff:203.0.113.7": 200}
    assert {client: door.get(app, client=client).status for client in calls} == calls
    assert door.get(app, client=None).status == 403


def test_a_file_is_read_again_when_it_changes(door, tmp_path):
    path = tmp_path / "deny.txt"
    path.write_text("# scanners\n203.0.113.0/24  # one of them\n\n")
    app = IPFilter(door.app(Origin()), deny=["198.51.100.1", str(path)])
    assert [door.get(app, client=c).status for c in ("203.0.113.7", "198.51.100.1", "192.0.2.1")] == [403, 403, 200]
    path.write_text("192.0.2.1\n")
    os.utime(path, ns=(1, 1))
    read_again(app, "deny")
    assert [door.get(app, client=c).status for c in ("203.0.113.7", "198.51.100.1", "192.0.2.1")] == [200, 403, 403]


def test_a_file_that_became_unreadable_leaves_the_list_as_it_was_and_says_so_once(door, tmp_path, caplog):
    path = tmp_path / "deny.txt"
    path.write_text("203.0.113.0/24")
    app = IPFilter(door.app(Origin()), deny=path)
    path.write_text("203.0.113.0/24\nlan\n")
    for _ in range(2):
        read_again(app, "deny")
        assert door.get(app).status == 403
    assert len([text for text in caplog.messages if "'lan'" in text]) == 1
    path.unlink()
    read_again(app, "deny")
    assert door.get(app).status == 403


def test_a_function_is_asked_again(door):
    listed = ["203.0.113.7"]
    app = IPFilter(door.app(Origin()), deny=lambda: listed)
    assert door.get(app).status == 403
    listed[:] = ["192.0.2.1"]
    read_again(app, "deny")
    assert door.get(app).status == 200


def test_an_allow_file_that_lists_nobody_lets_nobody_in(door, tmp_path):
    (tmp_path / "allow").write_text("")
    assert door.get(IPFilter(door.app(Origin()), allow=str(tmp_path / "allow"))).status == 403


def test_what_is_fresh_is_read_once_at_a_time_and_not_before_its_time():
    clock, began, go = Clock(), threading.Event(), threading.Event()
    reads = []
    fresh = Fresh(lambda: (reads.append(1), began.set(), go.wait(5)), "thing", clock=clock)
    fresh.poke()
    assert not reads
    clock.now += 1
    fresh.poke()
    assert began.wait(5)
    clock.now += 5
    fresh.poke()
    go.set()
    with fresh._lock:
        assert len(reads) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"deny": "/no/such/file"}, "deny: /no/such/file cannot be read: No such file"),
        ({"allow": ["lan"]}, "'lan' is no address or network"),
        ({"ban": Ban(), "blocked": Security()}, "keeps a list of its own"),
    ],
)
def test_a_wrong_list_is_told_at_construction(options, told):
    with pytest.raises(SettingsError, match=told):
        IPFilter(None, **options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"after": 0}, "after=0 must be at least 1"),
        ({"within": "soon"}, "'soon' is no duration"),
        ({"lasts": -1}, "-1 is no duration"),
        ({"lasts": "2 days"}, "longer than most='1 day'"),
        ({"statuses": (200,)}, "must be of responses that refuse"),
        ({"statuses": ()}, "must be of responses that refuse"),
    ],
)
def test_a_wrong_ban_is_told_at_construction(options, told):
    with pytest.raises(SettingsError, match=told):
        Ban(**options)


def test_a_ban_is_read_from_a_sentence():
    assert Ban.read("20 in 10 minutes for 1 hour") == Ban()
    with pytest.raises(SettingsError, match="must be like '20 in 10 minutes for 1 hour'"):
        Ban.read("20")


def wrong(path, headers):
    return Answer(status=401)


FEW = Ban(after=3, within="1 minute", lasts="10 minutes", most="30 minutes")


@pytest.fixture
def security(any_store, clock):
    return Security(any_store, ban=FEW, spare=["198.51.100.0/24"], clock=clock)


def filtered(door, security, say=wrong):
    return IPFilter(door.app(Origin(say)), blocked=security, strike=security.strike)


def test_who_keeps_being_refused_is_banned_by_all_processes_and_let_in_when_it_ends(door, security, any_store, clock):
    other = Security(any_store, clock=clock)
    app = filtered(door, security)
    assert statuses(door, app, 2) == [401, 401]
    security.refresh()
    assert statuses(door, app, 1) == [401]
    security.refresh()
    other.refresh()
    assert statuses(door, app, 1) == [403]
    assert "203.0.113.7" in other
    assert [(x["address"], x["reason"]) for x in other.blocked()] == [
        ("203.0.113.7", "3 refused calls within 60 s, ban 1")
    ]
    clock.now += 600
    assert statuses(door, app, 1) == [401]


def test_each_ban_is_twice_as_long_up_to_the_most(security, clock):
    lengths = []
    for _ in range(4):
        for _ in range(3):
            security.strike("203.0.113.7", 401)
        security.refresh()
        (block,) = security.blocked()
        lengths.append(block["until"] - block["since"])
        clock.now = block["until"]
        assert "203.0.113.7" not in security
    assert lengths == [600, 1200, 1800, 1800]


def test_strikes_that_come_slowly_are_no_ban_and_other_statuses_are_no_strikes(door, security, clock):
    app = filtered(door, security)
    for _ in range(4):
        statuses(door, app, 2)
        security.refresh()
        clock.now += 60
    fine = filtered(door, security, lambda path, headers: Answer(status=404))
    statuses(door, fine, 9)
    security.refresh()
    assert security.blocked() == []


def test_a_network_of_ipv6_is_banned_as_one(door, security):
    app = filtered(door, security)
    for i in range(3):
        door.get(app, client=f"2001:db8::{i}")
    security.refresh()
    assert door.get(app, client="2001:db8::ffff").status == 403
    assert door.get(app, client="2001:db8:0:1::1").status == 401


@pytest.mark.parametrize("spared", ["127.0.0.1", "::1", "198.51.100.7", None])
def test_this_machine_a_trusted_proxy_and_an_unknown_caller_are_never_banned(door, security, spared):
    app = filtered(door, security)
    statuses(door, app, 9, client=spared)
    security.refresh()
    assert security.blocked() == []


def test_an_administrator_s_own_address_is_never_banned_in_any_process(security, any_store, clock):
    desk = Security(any_store, ban=FEW, clock=clock)
    desk.spare("203.0.113.7")
    desk.refresh()
    for address in ("203.0.113.7", "203.0.113.8"):
        for _ in range(3):
            security.strike(address, 401)
    security.refresh()
    assert [x["address"] for x in security.blocked()] == ["203.0.113.8"]


def test_who_is_on_the_allow_list_is_never_banned(door, store):
    app = IPFilter(door.app(Origin(wrong)), allow=["203.0.113.7"], ban=FEW, store=store)
    statuses(door, app, 9)
    app._blocked.refresh()
    assert statuses(door, app, 1) == [401]


def test_a_ban_that_is_lifted_begins_anew(security):
    for _ in range(3):
        security.strike("203.0.113.7", 429)
    security.refresh()
    assert security.allow("203.0.113.7")
    security.strike("203.0.113.7", 429)
    security.refresh()
    assert "203.0.113.7" not in security
    assert [event["kind"] for event in security.events()] == ["unblock", "ban"]


def test_of_two_processes_that_find_the_same_one_bans(security, any_store, clock):
    other = Security(any_store, ban=FEW, clock=clock)
    for one in (security, other):
        for _ in range(3):
            one.strike("203.0.113.7", 401)
    security.refresh()
    other.refresh()
    assert [event["kind"] for event in security.events()] == ["ban"]


def test_the_list_of_bans_and_the_strikes_are_bounded(security, monkeypatch, caplog):
    monkeypatch.setattr(blocks, "MOST_BANS", 2)
    monkeypatch.setattr(blocks, "MOST_STRIKES", 5)
    for i in range(9):
        for _ in range(3):
            security.strike(f"203.0.113.{i}", 401)
    assert len(security._strikes) == 5
    security.refresh()
    assert len(security.blocked()) == 2
    assert "look who attacks" in caplog.text


def test_a_layer_alone_bans_within_a_second_without_anybody_s_help(door, any_store):
    app = IPFilter(
        RateLimit(door.app(Origin()), "2/minute", store=any_store), ban=Ban(after=3, within=60), store=any_store
    )
    assert statuses(door, app, 5) == [200, 200, 429, 429, 429]
    assert door.get(app).status in (429, 403)  # this one finds that it is time, and does not wait for the thread
    with app._blocked._fresh._lock:
        assert door.get(app).status == 403
