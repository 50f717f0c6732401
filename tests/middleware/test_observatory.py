"""MDN's HTTP Observatory on the pages that are sent; it runs on the node inside of the playwright wheel.

Asked as the scanner asks, https behind a redirect from http; its own tests and grades judge what comes back.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import playwright
import pytest

from nexus_middleware import Nexus, SecurityHeaders, Settings
from tests.helpers import Answer, Origin

NODE = Path(playwright.__file__).parent / "driver" / "node"
OBSERVATORY = Path(__file__).parents[1] / "vendor" / "observatory.mjs"
PROGRAM = """
import * as observatory from %r;
const seen = JSON.parse(process.argv[1]), url = new URL("https://shop.example/");
const made = new observatory.Requests("shop.example");
const get = { value(name) { return this[name.toLowerCase()]; } };
const answer = ({ status, headers }) => ({ status, headers: Object.defineProperty(headers, "get", get), verified: true });
made.session = { url, jar: new observatory.CookieJar() };
for (const line of seen.page.headers["set-cookie"] ?? []) made.session.jar.setCookieSync(line, url.href);
made.resources.path = seen.page.body;
made.responses.auto = { ...answer(seen.page), httpEquiv: observatory.parseHttpEquivHeaders(seen.page.body, url.href) };
made.responses.cors = answer(seen.cors);
made.responses.http = made.responses.https = made.responses.auto;
made.responses.httpRedirects = [{ url: new URL("http://shop.example/"), status: 301 }, { url, status: seen.page.status }];
let full = 100, uncurved = 100;
const tests = {};
for (const judge of observatory.ALL_TESTS) {
  const { constructor, result } = judge(made), worth = observatory.getScoreModifier(result);
  full += worth;
  uncurved += Math.min(worth, 0);
  tests[constructor.name] = [worth, result];
}
const earned = uncurved >= observatory.MINIMUM_SCORE_FOR_EXTRA_CREDIT ? full : uncurved;
console.log(JSON.stringify({ ...observatory.getGradeForScore(earned), tests }));
"""
SCRIPT = (
    '<!doctype html><title>Shop</title><script src="/shop.js" integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6"></script>'
)
HTML = ("content-type", "text/html; charset=utf-8")
COOKIE = ("set-cookie", "__Host-session=1; Path=/; Secure; HttpOnly; SameSite=Lax")
ORIGIN = ("origin", "https://http-observatory.security.mozilla.org")
PREFLIGHT = (ORIGIN, ("access-control-request-method", "GET"))
TOKEN = "correct horse battery staple"


def page(*pairs, body="<!doctype html><title>Shop</title>"):
    return Origin(lambda path, headers: Answer([body.encode()], headers=[HTML, *pairs]))


def score(door, app, path="/", *, headers=()):
    """Return what the Observatory says of `path`."""
    answers = {
        "page": door.get(app, path, scheme="https", headers=headers),
        "cors": door.get(app, path, scheme="https", method="OPTIONS", headers=(*headers, *PREFLIGHT)),
    }
    seen = {
        name: {"status": a.status, "headers": listed(a.pairs), "body": a.body.decode()} for name, a in answers.items()
    }
    command = [NODE, "--input-type=module", "-e", PROGRAM % str(OBSERVATORY), json.dumps(seen)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


def listed(pairs):
    """Return the headers as the scanner's own client has them."""
    cookies = [value for name, value in pairs if name == "set-cookie"]
    return {**dict(pairs), **({"set-cookie": cookies} if cookies else {})}


def test_a_bare_page_scores_little_so_the_scanner_works(asgi_door):
    assert score(asgi_door, page().asgi)["score"] == 30


@pytest.mark.parametrize(
    ("origin", "points"),
    [(page(), 130), (page(COOKIE, body=SCRIPT), 140)],
    ids=["a page", "one with a cookie and a script, as they should be"],
)
def test_a_page_under_strict_scores(door, origin, points):
    assert score(door, SecurityHeaders(door.app(origin), preset="strict"))["score"] == points


def test_the_dashboard_scores_140(asgi_door):
    app = Nexus(asgi_door.app(page()), Settings(admin_token=TOKEN))

    found = score(asgi_door, app, "/admin/infrastructure/", headers=(("authorization", f"Bearer {TOKEN}"),))

    assert found["score"] == 140, found["tests"]
    app.runtime.close()
