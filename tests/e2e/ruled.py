"""An app with rules in code, live and staged, and requests that they refused; with markup in every text."""

from __future__ import annotations

import httpx

from nexus_middleware import Rule
from tests.e2e.conftest import open_dashboard
from tests.e2e.history import MARKUP

LIMIT = '[[limit]]\nname = "export"\nlimit = "2/hour"\npath = "/export/*"\n'


def rule_an_app(serve, url):
    """Return its dashboard."""
    rules = [
        Rule("1/minute", path="/login", name="sign-in"),
        Rule("1/minute", path="/search", name="search", mode="shadow"),
    ]
    dashboard = open_dashboard(serve, url, rules=rules)
    policies = dashboard.nexus.runtime.policies
    policies.change("enforce", f'# {MARKUP}\n[filter]\ndeny = ["192.0.2.0/24"]\n', who=f"token {MARKUP}")
    policies.change("stage", f"# {MARKUP}\n{LIMIT}", who="hook 127.0.0.1")
    with httpx.Client(base_url=dashboard.served.base) as client:
        for n in range(3):
            client.get("/login", headers={"x-request-id": f"refused-{n}"})
            client.get("/search", headers={"user-agent": MARKUP})
            client.get(f"/export/{MARKUP}")
    return dashboard
