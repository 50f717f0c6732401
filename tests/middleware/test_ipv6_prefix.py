"""How wide the network is that counts as one IPv6 caller: one answer for limits, handlers, bans and the sign-in."""

import pytest
from starlette.requests import Request

from nexus_middleware import Ban, Nexus, RateLimit, Settings, TrustedProxies, by_api_key, by_header, by_user
from nexus_middleware.admin.answers import Problem
from nexus_middleware.admin.attempts import Attempts
from nexus_middleware.errors import SettingsError
from nexus_middleware.middleware.handlers import limit
from nexus_middleware.rules.bans import Ban as PlainBan
from nexus_middleware.services.security import Security
from nexus_middleware.stores.memory import MemoryStore
from tests.helpers import Answer, Origin

NEAR = ("2001:db8:0:100::1", "2001:db8:0:1ff::2")  # of one /56, of two /64
FAR = "2001:db8:0:200::1"


def statuses(door, app, *clients, **options):
    return [door.get(app, client=client, **options).status for client in clients]


def test_a_limit_counts_by_the_network_that_it_is_told(door, any_store):
    app = RateLimit(door.app(Origin()), "1/minute", store=any_store, ipv6_prefix=56)
    assert statuses(door, app, *NEAR, FAR, "203.0.113.7", "203.0.113.8") == [200, 429, 200, 200, 200]


def test_each_address_for_itself(door, store):
    app = RateLimit(door.app(Origin()), "1/minute", store=store, ipv6_prefix=128)
    assert statuses(door, app, "2001:db8::1", "2001:db8::2", "2001:db8::1") == [200, 200, 429]


@pytest.mark.parametrize("key", [by_api_key, by_header("x-team"), by_user])
def test_what_falls_back_on_the_address_takes_the_same_network(door, store, key):
    app = TrustedProxies(RateLimit(door.app(Origin()), "1/minute", key=key, store=store), ipv6_prefix=56)
    assert statuses(door, app, *NEAR, FAR) == [200, 429, 200]


def test_the_limit_s_own_word_goes_before_the_outer_one(door, store):
    app = TrustedProxies(RateLimit(door.app(Origin()), "1/minute", store=store, ipv6_prefix=64), ipv6_prefix=56)
    assert statuses(door, app, *NEAR, NEAR[0]) == [200, 200, 429]


def test_a_ban_shuts_out_the_same_network(door, clock):
    security = Security(MemoryStore(clock=clock), ban=Ban(after=2, within=60, ipv6_prefix=56), clock=clock)
    for address in NEAR:
        security.strike(address, 429)
    security.refresh()
    assert [each["address"] for each in security.blocked()] == ["2001:db8:0:100::/56"]
    security = Security(MemoryStore(clock=clock), ban=Ban(after=1, within=60, ipv6_prefix=56), clock=clock)
    security.spare(NEAR[0])
    security.strike(NEAR[1], 429)
    security.refresh()
    assert not security.blocked()


@pytest.mark.anyio
async def test_wrong_tokens_are_counted_by_the_same_network(clock):
    attempts = Attempts(MemoryStore(clock=clock), ipv6_prefix=56, clock=clock)
    for n in range(5):
        await attempts.failed(NEAR[n % 2])
    with pytest.raises(Problem):
        await attempts.failed(NEAR[0])
    with pytest.raises(Problem):
        attempts.check(NEAR[1])
    attempts.check(FAR)


def test_one_setting_says_it_to_limits_handlers_bans_and_the_sign_in(door):
    said = {"NEXUS_IPV6_PREFIX": "56", "NEXUS_RATE_LIMIT": "1/minute", "NEXUS_BAN": "20 in 1 minute for 1 hour"}
    nexus = Nexus(door.app(Origin()), Settings.from_env(said))
    assert statuses(door, nexus.stack, *NEAR, FAR) == [200, 429, 200]
    assert nexus.security._ban.ipv6_prefix == 56
    nexus.runtime.close()


def test_a_handler_s_own_limit_follows_the_layers_around_it(asgi_door, store):
    @limit("1/minute", store="memory://")
    async def handler(request):
        return Answer()

    answers = []

    async def app(scope, receive, send):
        made = await handler(Request(scope))
        answers.append(getattr(made, "status_code", 200))
        await Origin().asgi(scope, receive, send)

    layers = TrustedProxies(app, ipv6_prefix=56)
    statuses(asgi_door, layers, *NEAR, FAR)
    assert answers == [200, 429, 200]


@pytest.mark.parametrize("bits", [0, 31, 129, -64, True, "64"])
@pytest.mark.parametrize(
    "make",
    [
        lambda bits: RateLimit(None, "1/minute", ipv6_prefix=bits),
        lambda bits: TrustedProxies(None, ipv6_prefix=bits),
        lambda bits: PlainBan(ipv6_prefix=bits),
        lambda bits: Nexus(None, Settings(ipv6_prefix=bits)),
    ],
)
def test_what_is_no_such_width_is_told_in_one_line(make, bits):
    with pytest.raises(SettingsError, match=r"^ipv6_prefix=.* must be from 32 to 128 bits: .*$"):
        make(bits)
