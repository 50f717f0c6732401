"""Where the dashboard finds itself: behind mounts, proxies and odd paths."""

import pytest

from nexus_middleware.admin.mounts import local_path
from tests.admin.conftest import PAGE


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
