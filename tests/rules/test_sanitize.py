"""Putting text in order: what goes, and that nothing else does."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware import SettingsError
from nexus_middleware.rules.sanitize import sanitize_html, sanitize_input, validate_request
from tests.rules.attacks import SQLI, XSS
from tests.rules.honest import PLAIN


@pytest.mark.parametrize("text", [text for text in PLAIN + SQLI + XSS if not {"\x00", "\x0c"} & {*text}])
def test_meaning_is_never_changed(text):
    assert sanitize_input(text) == text.strip()


def test_control_characters_go_and_line_ends_and_tabs_stay():
    assert sanitize_input("a\x00\x1b[31m\x7f\x85\tb\r\nc") == "a[31m\x85\tb\r\nc"


def test_letters_are_composed():
    assert sanitize_input("Zoe\u0308") == "Zo\xeb"


@given(st.text())
def test_what_was_put_in_order_stays_as_it_is(text):
    once = sanitize_input(text)

    assert sanitize_input(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_a_letter_with_thousands_of_marks_is_left_as_it_is():
    text = "a" + "\u0301\u0327" * 50_000  # to put these in order would take minutes

    assert sanitize_input(text) == text


def test_a_body_is_judged_with_all_that_is_in_it():
    told = validate_request({"title": "fine", "lines": [{"note": SQLI[0]}, XSS[0]], 7: None})

    assert told.valid is False
    assert told.errors == ["lines.0.note looks like SQL injection", "lines.1 looks like script"]


def test_a_field_whose_name_is_the_attack_is_not_named():
    assert validate_request({XSS[0]: "x"}).errors == ["a field looks like script"]


@pytest.mark.parametrize("body", [None, 7, [], {}, "hello", {"a": {"b": ["c"]}}])
def test_an_honest_body_is_valid(body):
    assert validate_request(body) == (told := validate_request(body))
    assert told.valid


def test_html_keeps_what_cannot_run():
    assert sanitize_html('<p onclick="x()">Hi <a href="javascript:x()">you</a><script>x()</script></p>') == (
        '<p>Hi <a rel="noopener noreferrer">you</a></p>'
    )


def test_without_nh3_html_cleaning_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nh3", None)

    with pytest.raises(SettingsError, match=r"pip install 'nexus-middleware\[html\]'"):
        sanitize_html("<b>")
