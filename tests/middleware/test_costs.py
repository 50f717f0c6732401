"""Server-Timing: what each layer took, told if wanted, and nothing measured if not."""

from __future__ import annotations

import re

from nexus_middleware import BodyLimit, Nexus, RateLimit, RequestTiming, SecurityHeaders, Settings
from nexus_middleware.middleware.costs import timed
from tests.helpers import Origin


def test_each_layer_s_own_time_is_told(door, store):
    makes = timed(
        [
            lambda app: RequestTiming(app, server_timing=True),
            SecurityHeaders,
            BodyLimit,
            lambda app: RateLimit(app, "9/minute", store=store),
        ]
    )
    app = door.app(Origin())
    for make in reversed(makes):
        app = make(app)

    told = door.get(app).headers["server-timing"]

    assert re.fullmatch(r"app;dur=[\d.]+(, \w+;dur=[\d.]+)+", told)
    assert {part.partition(";")[0] for part in told.split(", ")} == {
        "app",
        "RequestTiming",
        "SecurityHeaders",
        "BodyLimit",
        "RateLimit",
    }


def test_layers_that_are_timed_are_fused_and_answer_as_they_do(door, store):
    (make,) = timed([lambda app: RateLimit(app, "1/minute", store=store)])
    app = make(door.app(Origin()))
    assert [door.get(app).status for _ in range(2)] == [200, 429]


def test_it_is_a_setting_and_off_nothing_is_wrapped(asgi_door):
    for on in (True, False):
        nexus = Nexus(Origin().asgi, Settings(server_timing=on, log_level="error"))
        assert ("server-timing" in asgi_door.get(nexus).headers) is on
        assert any("before" in vars(layer) for layer in nexus.stack.chain.layers) is on
        asgi_door.loop.run_until_complete(nexus.runtime.aclose())


def test_a_refusal_that_the_security_log_watches_is_answered_and_timed(asgi_door):
    nexus = Nexus(Origin().asgi, Settings(server_timing=True, deny=("203.0.113.0/24",), log_level="error"))
    refused = asgi_door.get(nexus)
    asgi_door.loop.run_until_complete(nexus.runtime.aclose())
    assert refused.status == 403
    assert "IPFilter;dur=" in refused.headers["server-timing"]
