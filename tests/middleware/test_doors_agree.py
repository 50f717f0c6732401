"""Both doors and both stores decide alike, on any rules and any calls."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_middleware import RateLimit, Rule, by_api_key, by_header
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Answer, ASGIDoor, Clock, Origin, WSGIDoor

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
PATHS = ["/", "/auth/login", "/AUTH//login/", "/auth/%2e%2e/x", "/api/items/7", "/api;v=1/items"]
KEYS = [by_api_key, by_header("x-team"), lambda request: None if request.path == "/" else request.client]


@st.composite
def _rules(draw):
    made = []
    for n in range(draw(st.integers(1, 3))):
        amount = draw(st.integers(1, 5))
        window = draw(st.sampled_from(["second", "5seconds", "minute"]))
        several = draw(st.booleans())
        made.append(
            Rule(
                f"{amount}/{window};7/hour" if several else f"{amount}/{window}",
                path=draw(st.sampled_from(["*", "/auth/*", "/api/*"])),
                methods=draw(st.sampled_from([(), ("GET",), ("POST", "PUT")])),
                name=f"r{n}",
                cost=draw(st.integers(1, amount)),
                mode=draw(st.sampled_from(["enforce", "enforce", "shadow", "off"])),
                count_when=draw(st.sampled_from([None, None, lambda request, status: status >= 400])),
                **({"key": key} if (key := draw(st.sampled_from([None, *KEYS]))) else {}),
            )
        )
    return made


CALLS = st.lists(
    st.tuples(
        st.sampled_from(PATHS),
        st.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
        st.sampled_from(["203.0.113.7", "2001:db8::1", "2001:db8::2", None]),
        st.sampled_from([(), (("x-api-key", "a"),), (("x-team", "b"),)]),
        st.sampled_from([0.0, 0.0, 0.3, 1.0, 5.0, 61.0]),
    ),
    min_size=1,
    max_size=25,
)


def answered(door, store, rules, strategy, calls, clock):
    origin = Origin(lambda path, headers: Answer(status=401 if "x-team" in headers else 200))
    layer = RateLimit(door.app(origin), rules, strategy=strategy, store=store, headers="both")
    told = []
    for path, method, client, headers, pause in calls:
        clock.now += pause
        seen = door.get(layer, path, method=method, client=client, headers=headers)
        told.append((seen.status, {k: v for k, v in seen.pairs if "ratelimit" in k or k == "retry-after"}, seen.body))
    return told


@QUICK
@given(rules=_rules(), calls=CALLS, strategy=st.sampled_from(["sliding-window", "gcra"]))
def test_asgi_and_wsgi_memory_and_redis_decide_alike(redis_url, rules, calls, strategy):
    said = []
    for make_door in (ASGIDoor, WSGIDoor):
        for where in ("memory", "redis"):
            clock, door = Clock(), make_door()
            store = MemoryStore(clock=clock) if where == "memory" else RedisStore(redis_url, budget=5, clock=clock)
            if isinstance(store, RedisStore):
                store.client.flushall()
            try:
                said.append(answered(door, store, rules, strategy, calls, clock))
            finally:
                door.close()
                store.close()
    assert said[0] == said[1] == said[2] == said[3]
