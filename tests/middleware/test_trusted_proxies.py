"""TrustedProxies and IPFilter: whose word is taken, and whom it lets in."""

import pytest

from nexus_middleware.errors import SettingsError
from nexus_middleware.middleware.ip_filter import IPFilter
from nexus_middleware.middleware.rate_limit import RateLimit
from nexus_middleware.middleware.trusted_proxies import TrustedProxies
from tests.helpers import Origin

FORWARDED = [
    ("x-forwarded-for", "6.6.6.6, 203.0.113.9"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "shop.example"),
]


def facts(origin):
    scope = origin.scope
    if "type" in scope:
        return scope["client"], scope["scheme"], dict(scope["headers"])[b"host"].decode()
    return (scope["REMOTE_ADDR"], 0), scope["wsgi.url_scheme"], scope["HTTP_HOST"]


def test_a_trusted_proxys_word_is_taken_by_the_app_and_every_layer(door):
    origin = Origin()
    app = TrustedProxies(IPFilter(door.app(origin), deny=["198.51.100.0/24"]), ["10.0.0.0/8"])

    door.get(app, client="10.0.0.1", headers=FORWARDED)
    assert facts(origin) == (("203.0.113.9", 0), "https", "shop.example")
    assert origin.seen.client == "203.0.113.9"
    assert door.get(app, client="10.0.0.1", headers=[("x-forwarded-for", "198.51.100.7")]).status == 403


def test_nobody_elses_is(door):
    origin = Origin()
    door.get(TrustedProxies(door.app(origin), ["10.0.0.0/8"]), client="192.0.2.1", headers=FORWARDED)

    client, scheme, host = facts(origin)
    assert (client[0], scheme, host) == ("192.0.2.1", "http", "example.org")


def test_a_proxy_behind_a_unix_socket_is_believed_if_it_is_named(door):
    origin = Origin()
    door.get(TrustedProxies(door.app(origin), ["unix"]), client=None, headers=FORWARDED)
    assert origin.seen.client == "203.0.113.9"
    door.get(TrustedProxies(door.app(origin), ["10.0.0.0/8"]), client=None, headers=FORWARDED)
    assert origin.seen.client == ""


def test_forwarded_has_its_own_scheme_and_host(door):
    origin = Origin()
    app = TrustedProxies(door.app(origin), ["10.0.0.0/8"], header="forwarded")
    door.get(app, client="10.0.0.1", headers=[*FORWARDED, ("forwarded", "for=192.0.2.7;proto=https;host=a.example")])

    assert facts(origin) == (("192.0.2.7", 0), "https", "a.example")


@pytest.mark.parametrize("host", ["a b", "evil.example/x", "", "a@b"])
def test_a_host_that_is_none_is_not_taken(door, host):
    origin = Origin()
    door.get(TrustedProxies(door.app(origin), ["10.0.0.0/8"]), client="10.0.0.1", headers=[("x-forwarded-host", host)])
    assert facts(origin)[2] == "example.org"


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x_forwarded_for"])
def test_a_spoofed_header_gives_nobody_a_fresh_limit(asgi_door, store, name):
    app = TrustedProxies(RateLimit(Origin().asgi, "1/minute", store=store), ["10.0.0.0/8"])
    spoofed = [asgi_door.get(app, headers=[(name, f"for=10.0.0.{i}")]).status for i in range(2)]
    assert spoofed == [200, 429]


def test_without_a_proxy_one_warning_says_what_to_set(door, caplog):
    caplog.set_level("WARNING")  # whatever an example before it has configured
    app = TrustedProxies(door.app(Origin()))
    for _ in range(2):
        door.get(app, headers=FORWARDED)
    assert sum("NEXUS_TRUSTED_PROXIES" in message for message in caplog.messages) == 1


def test_hops_of_nothing_are_told_at_construction(door):
    with pytest.raises(SettingsError, match="hops=0 must be at least 1"):
        TrustedProxies(door.app(Origin()), hops=0)


@pytest.mark.parametrize(
    ("allow", "deny", "client", "status"),
    [
        ((), ("198.51.100.0/24",), "198.51.100.9", 403),
        ((), ("198.51.100.0/24",), "::ffff:198.51.100.9", 403),
        ((), ("198.51.100.0/24",), "203.0.113.7", 200),
        (("203.0.113.0/24",), (), "203.0.113.7", 200),
        (("203.0.113.0/24",), (), "198.51.100.9", 403),
        (("203.0.113.0/24",), (), None, 403),
        (("203.0.113.0/24",), ("203.0.113.7",), "203.0.113.7", 403),
    ],
)
def test_the_lists_say_who_may_call(door, allow, deny, client, status):
    assert door.get(IPFilter(door.app(Origin()), allow=allow, deny=deny), client=client).status == status


def test_a_block_holds_from_the_moment_it_is_made(door):
    blocked = set()
    app = IPFilter(door.app(Origin()), blocked=blocked)
    assert door.get(app).status == 200
    blocked.add("203.0.113.7")
    assert door.get(app).status == 403


def test_in_shadow_nobody_is_refused_and_the_record_says_why(door):
    origin = Origin()
    door.get(IPFilter(door.app(origin), deny=["0.0.0.0/0"], mode="shadow"))
    assert [(d.verdict, d.status, d.why) for d in origin.seen.decisions] == [
        ("would answer", 403, "in a denied network")
    ]
