"""The dashboard's page, before any script of it runs."""

from __future__ import annotations

import pytest

from tests.admin.conftest import BEARER, PAGE


@pytest.mark.parametrize("headers", [[BEARER], []], ids=["page", "sign-in"])
def test_the_page_comes_in_the_theme_that_was_chosen(desk, headers):
    seen = desk.ask(f"{PAGE}/", headers=[*headers, ("cookie", "other=1; nexus-theme=dark")])

    assert b'<html lang="en" data-theme="dark">' in seen.body


@pytest.mark.parametrize("theme", ["", "blue", 'dark"onload="', "darker"])
def test_no_other_theme_comes_into_the_page(desk, theme):
    seen = desk.ask(f"{PAGE}/", headers=[BEARER, ("cookie", f"nexus-theme={theme}")])

    assert b'<html lang="en">' in seen.body
