"""A missing browser is told plainly, and is a failure where a browser is required."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.e2e import conftest


@pytest.mark.parametrize(("required", "outcome"), [("1", pytest.fail.Exception), ("0", pytest.skip.Exception)])
def test_without_a_browser_the_tests_fail_if_one_is_required_and_say_what_to_install(monkeypatch, required, outcome):
    monkeypatch.setenv("REQUIRE_BROWSER", required)
    monkeypatch.setattr(conftest.shutil, "which", lambda name: None)
    nowhere = SimpleNamespace(chromium=SimpleNamespace(executable_path="/nowhere/chromium"))

    with pytest.raises(outcome, match="apt install chromium"):
        conftest.find_browser(nowhere)
