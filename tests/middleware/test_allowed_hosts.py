"""AllowedHosts: which Host is served, under both doors."""

import json

import pytest

from nexus_middleware import Nexus, Settings
from nexus_middleware.errors import SettingsError
from nexus_middleware.middleware.allowed_hosts import AllowedHosts
from nexus_middleware.middleware.trusted_proxies import TrustedProxies
from tests.helpers import Origin

HOSTS = ["example.org", "*.example.org", "[::1]"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("example.org", 200),
        ("EXAMPLE.org:8000", 200),
        ("example.org.", 200),
        ("www.example.org", 200),
        ("a.b.example.org:443", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("notexample.org", 400),
        ("example.org.evil.example", 400),
        ("example.org@evil.example", 400),
        ("example.org, evil.example", 400),
        ("example.org/..", 400),
        (".example.org", 400),
        ("", 400),
    ],
)
def test_only_hosts_that_are_named_are_served(door, host, status):
    origin = Origin()
    seen = door.get(AllowedHosts(door.app(origin), HOSTS), headers=[("host", host)])

    assert seen.status == status
    assert len(origin.asked) == (status == 200)
    assert status == 200 or json.loads(seen.body)["detail"] == "This host is not served here."


def test_two_hosts_are_none(asgi_door):
    headers = [("host", "example.org"), ("host", "example.org")]
    assert asgi_door.get(AllowedHosts(Origin().asgi, HOSTS), headers=headers).status == 400


def test_a_star_serves_every_host_that_is_one(door):
    app = AllowedHosts(door.app(Origin()), "*")
    assert [door.get(app, headers=[("host", host)]).status for host in ("any.example", "a b")] == [200, 400]


def test_the_host_that_a_trusted_proxy_tells_is_the_one_that_counts(door):
    app = TrustedProxies(AllowedHosts(door.app(Origin()), ["example.org"]), ["10.0.0.0/8"])
    told = [("host", "internal"), ("x-forwarded-host", "example.org")]
    assert [door.get(app, client=c, headers=told).status for c in ("10.0.0.1", "203.0.113.7")] == [200, 400]


def test_in_the_stack_the_probes_answer_by_any_name_and_the_dashboard_does_not(asgi_door):
    nexus = Nexus(
        Origin().asgi, Settings(allowed_hosts=("example.org",), admin_token="a long secret", log_level="error")
    )
    odd = [("host", "10.0.0.7:8000")]
    paths = ("/", "/livez", "/api/infrastructure/health", "/admin/infrastructure/")
    assert [asgi_door.get(nexus, path, headers=odd).status for path in paths] == [400, 200, 400, 400]
    assert asgi_door.get(nexus).status == 200
    nexus.runtime.close()


def test_in_shadow_nobody_is_refused_and_the_record_names_the_host(door):
    origin = Origin()
    app = AllowedHosts(door.app(origin), HOSTS, mode="shadow")
    assert door.get(app, headers=[("host", "evil.example")]).status == 200
    assert origin.seen.decisions[0].why == "Host 'evil.example'"


@pytest.mark.parametrize("hosts", [[], ["https://example.org"], ["example.org:80"], ["*example.org"], ["exa mple"]])
def test_what_is_no_host_is_told_at_construction(hosts):
    with pytest.raises(SettingsError, match="hosts: "):
        AllowedHosts(None, hosts)
