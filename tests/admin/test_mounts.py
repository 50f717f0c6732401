"""Where the dashboard finds itself: behind mounts, proxies and odd paths."""

import gzip
import re

import pytest

from nexus_middleware import Settings
from nexus_middleware.admin import Admin
from nexus_middleware.admin.mounts import local_path
from nexus_middleware.runtime import Runtime
from tests.admin.conftest import BEARER, PAGE, TOKEN


@pytest.mark.parametrize(
    ("path", "root", "local"),
    [
        ("/admin/infrastructure/api/health", "/admin/infrastructure", "/api/health"),
        ("/proxy/admin/x", "/proxy/admin", "/x"),
        ("/admin/x", "/proxy/admin", "/x"),
        ("/x", "/proxy/admin", "/x"),
        ("/administrator", "/admin", "/administrator"),
        ("/admin", "/admin", ""),
        ("/admin/", "/admin", "/"),
        ("/a/a/x", "/a/a", "/x"),
        ("/a/x", "/a/a", "/x"),
        ("/x", "", "/x"),
        ("/x", "/", "/x"),
    ],
)
def test_the_path_below_the_mount_is_found_behind_any_proxy(path, root, local):
    assert local_path({"path": path, "root_path": root}) == local


def test_a_mount_without_its_slash_is_answered_by_a_relative_redirect(desk):
    seen = desk.ask(PAGE)

    assert seen.status == 308 and seen.headers["location"] == "infrastructure/"


@pytest.mark.parametrize(
    "path", ["/admin/infrastructure//", "/admin/infrastructure/../infrastructure/api/health", "/admin//infrastructure/"]
)
def test_odd_paths_never_skip_the_sign_in(desk, path):
    seen = desk.ask(path, headers=[])

    assert seen.status in (401, 404) or seen.body == b"ok"  # the app's own answer, of which we are no part
    assert b"rssMB" not in seen.body


MOUNTS = ["/infrastructure", "/admin/infrastructure", "/a/b/c"]
PROXIES = {  # the path as the server sees it, and the root_path it was told of
    "no proxy": ("{mount}", ""),
    "prefix kept": ("/proxy{mount}", "/proxy"),
    "prefix cut off and named": ("{mount}", "/proxy"),
}


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("mount", MOUNTS)
def test_page_files_and_api_are_found_at_every_mount_behind_every_proxy(asgi_door, mount, proxy):
    begins, root = (text.format(mount=mount) for text in PROXIES[proxy])
    admin = Admin(Runtime(Settings(admin_token=TOKEN, namespace="mounted")))

    async def app(scope, receive, send):  # as a framework mounts: the path whole, its own part in root_path
        await admin({**scope, "root_path": root + mount}, receive, send)

    page = asgi_door.get(app, f"{begins}/", headers=[BEARER])
    links = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert page.status == 200 and len(links) >= 5
    assert not [link for link in links if link.startswith(("/", "http"))]
    assert {asgi_door.get(app, f"{begins}/{link}", headers=[BEARER]).status for link in links} == {200}
    assert asgi_door.get(app, f"{begins}/api/health", headers=[BEARER]).status == 200
    assert asgi_door.get(app, begins).headers["location"] == f"{mount.rpartition('/')[2]}/"


def test_a_file_of_this_version_is_kept_for_good_and_comes_packed(desk):
    page = desk.ask(f"{PAGE}/").body.decode()
    link = re.search(r'href="([^"]+\.css)"', page)[1]

    seen = desk.ask(f"{PAGE}/{link}", headers=[("accept-encoding", "gzip, br")])

    assert "immutable" in seen.headers["cache-control"] and seen.headers["content-encoding"] == "gzip"
    assert gzip.decompress(seen.body) == desk.ask(f"{PAGE}/{link}", headers=[]).body
    other = re.sub(r"static/\w+/", "static/0/", link)
    assert desk.ask(f"{PAGE}/{other}").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["page.html", "vendor/VENDOR.json", "../app.py", "..%2fapp.py", "vendor", ""])
def test_only_what_the_page_loads_is_served(desk, name):
    assert desk.ask(f"{PAGE}/static/0/{name}").status == 404


def test_the_page_forbids_all_that_it_does_not_need(desk):
    headers = desk.ask(f"{PAGE}/").headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "trusted-types 'none'" in policy
    assert headers["x-frame-options"] == "DENY" and headers["cache-control"] == "no-store"
