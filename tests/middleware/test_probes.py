"""Twelve probes of transparency: what an app and its server say to each other passes every layer and the whole stack."""

import asyncio

import pytest

from nexus_middleware import (
    CORS,
    APIKey,
    BodyLimit,
    IPFilter,
    Nexus,
    RateLimit,
    RequestID,
    RequestLogger,
    RequestTiming,
    ResponseCache,
    SecurityHeaders,
    Settings,
    TrustedProxies,
)
from nexus_middleware.commands.probes import PROBES, Stage
from nexus_middleware.http import Head, Request
from nexus_middleware.middleware.layer import Layer


class Reader(Layer):
    """Reads bodies, but not those of this type: as a guard would."""

    reads_body = True

    def reads(self, request: Request) -> bool:
        return request.header(b"content-type") != b"application/octet-stream"

    def before(self, request, answer):
        return None


class Tapped(Layer):
    def after(self, request: Request, head: Head):
        return lambda chunk, last: None


STACKS = {
    "nothing": lambda app: app,
    "TrustedProxies": lambda app: TrustedProxies(app, ["10.0.0.0/8"]),
    "RequestID": RequestID,
    "RequestTiming": lambda app: RequestTiming(app, server_timing=True),
    "RequestLogger": lambda app: RequestLogger(app, log=lambda line: None),
    "SecurityHeaders": SecurityHeaders,
    "CORS": lambda app: CORS(app, origins=["https://shop.example"]),
    "APIKey": lambda app: APIKey(app, ["a key"]),
    "IPFilter": lambda app: IPFilter(app, deny=["198.51.100.0/24"]),
    "BodyLimit": BodyLimit,
    "RateLimit": RateLimit,
    "ResponseCache": ResponseCache,
    "Reader": Reader,
    "Tapped": Tapped,
    "six fused": lambda app: RequestID(SecurityHeaders(IPFilter(BodyLimit(RateLimit(ResponseCache(app)))))),
    "Nexus": lambda app: Nexus(app, Settings()),
    "Nexus with all": lambda app: Nexus(app, Settings(cors_origins=("https://shop.example",), api_keys=("a key",))),
}


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
@pytest.mark.parametrize("wrap", STACKS.values(), ids=STACKS)
def test_what_app_and_server_say_passes(wrap, probe):
    stage = Stage(wrap)
    asyncio.run(probe(stage))
    assert stage.reached
