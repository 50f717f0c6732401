"""From which pages a change may come, and where in a path the dashboard begins."""

from __future__ import annotations

import pytest

from tests.admin.conftest import JSON, SAME, cookie, sign_in

TABLE = [
    ([SAME, JSON], 200),
    ([SAME, ("x-requested-with", "fetch")], 200),
    ([("origin", "http://example.org"), JSON], 200),
    ([("origin", "HTTP://EXAMPLE.ORG"), JSON], 200),
    ([SAME], 403),
    ([SAME, ("content-type", "text/plain")], 403),
    ([JSON], 403),
    ([("sec-fetch-site", "cross-site"), JSON], 403),
    ([("sec-fetch-site", "same-site"), JSON], 403),
    ([("sec-fetch-site", "none"), JSON], 403),
    ([("sec-fetch-site", "cross-site"), ("origin", "http://example.org"), JSON], 403),
    ([("origin", "null"), JSON], 403),
    ([("origin", "https://example.org"), JSON], 403),
    ([("origin", "http://example.org:81"), JSON], 403),
    ([("origin", "http://example.org.evil.test"), JSON], 403),
    ([("origin", "http://evil.test"), JSON], 403),
]


@pytest.mark.parametrize(("headers", "status"), TABLE)
def test_a_session_changes_something_only_from_our_own_page(desk, headers, status):
    session = cookie(sign_in(desk))
    desk.nexus.cache.set("kept", 1)

    assert desk.ask("/cache", method="DELETE", headers=[session, *headers]).status == status
    assert (desk.nexus.cache.get("kept") is None) == (status == 200)


@pytest.mark.parametrize(("headers", "status"), TABLE)
def test_the_same_holds_for_whom_a_hook_lets_in(make, headers, status):
    desk = make(access=lambda scope: "all")

    assert desk.ask("/cache", method="DELETE", headers=headers).status == status


def test_a_program_with_a_token_needs_none_of_that(desk):
    assert desk.ask("/cache", method="DELETE").status == 200


def test_signing_in_is_for_our_own_page_alone(desk):
    assert sign_in(desk, headers=[("sec-fetch-site", "cross-site")]).status == 403
    assert sign_in(desk, headers=[]).status == 403
