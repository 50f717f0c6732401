"""The short form of the matrix: each framework under one server, each server under some framework."""

import pytest

from tests.matrix.cells import CELLS, SHORT, cell


@pytest.mark.parametrize(("app", "server"), SHORT, ids=lambda name: name.replace(", ", "-"))
def test_an_unchanged_app_behaves_behind_the_stack_as_without_it(app, server, redis_url, tmp_path):
    assert cell(app, server, redis_url, tmp_path) == {}


def test_the_short_form_leaves_out_no_server_and_no_framework():
    assert {server for _, server in SHORT} | {"hypercorn, wsgi"} == {server for _, server in CELLS}
    assert {app for app, _ in SHORT} | {"fastmcp_sse", "falcon_wsgi"} == {app for app, _ in CELLS}
