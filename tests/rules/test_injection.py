"""Telling injection from honest text: what is found, what is left alone, and that nothing hostile breaks or slows it."""

import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nexus_middleware.rules.injection import detect, detect_near, detect_sql_injection, detect_xss
from nexus_middleware.rules.injection.decoders import plain, spellings
from nexus_middleware.rules.injection.sql_tokens import MOST, inside, shape
from tests.rules.attacks import SQLI, XSS
from tests.rules.honest import PLAIN, RICH


@pytest.mark.parametrize("text", SQLI)
def test_sql_injection_is_found(text):
    found = detect_sql_injection(text)

    assert found
    assert (found.category, found.place) == ("sqli", "")
    assert found.rule.startswith("sql-")
    assert 1 <= found.score <= 10


@pytest.mark.parametrize("text", XSS)
def test_script_is_found(text):
    found = detect_xss(text)

    assert found
    assert (found.category, found.rule[:4]) == ("xss", "xss-")


@pytest.mark.parametrize("text", PLAIN + RICH)
def test_honest_text_is_left_alone(text):
    assert (detect_sql_injection(text), detect_xss(text)) == (None, None)


@pytest.mark.parametrize("text", SQLI + XSS)
def test_case_and_blanks_around_hide_nothing(text):
    assert detect(text.upper() if "\\" not in text and "&" not in text else text)
    assert detect(f"{text} ")


@pytest.mark.parametrize("blank", ["\t", "\n", "\r\n", "\x0b", "\x0c", "\xa0", "/**/", "/*x*/", " \x00"])
def test_no_blank_between_words_hides_sql(blank):
    assert detect_sql_injection(blank.join(["-7", "union", "select", "pin", "from", "staff"]))
    assert detect_sql_injection(blank.join(["7'", "or", "2=2"]))


@pytest.mark.parametrize(
    "quote", ["'", '"', "\u2019", "\uff07", "%27", "%2527", "%u0027", "&#39;", "&#x27;", "\\x27", "\\u0027"]
)
def test_no_spelling_of_a_quote_hides_sql(quote):
    assert detect_sql_injection(f"nobody{quote} or {quote}a{quote}={quote}a")


def test_the_finding_says_nothing_of_the_text_and_can_be_sent_on():
    found = detect("7' union select secret_word from staff")

    assert "secret" not in repr(found)
    assert pickle.loads(pickle.dumps(found)) == found


def test_of_a_long_text_the_strong_words_are_found_wherever_they_are():
    filler = "It's a long story, told on many pages. " * 3000

    for attack in ("<script>steal()</script>", "<img src=x onerror=steal(1)>", "-7 union select pin from staff"):
        assert detect(filler + attack + filler)
        assert detect_near(filler + attack + filler)
    assert detect(filler + "unions, asleep, onerous, a description" + filler) is None


def test_more_of_a_strong_word_than_is_looked_at_is_no_error():
    assert detect("sleep " * 50_000) is None


hostile = (
    st.text()
    | st.text("'\"`;#-/*()=<>|&%\\ \x00abonx01,.@:!u{}[]+")
    | st.lists(
        st.sampled_from(
            [*SQLI[:9], *XSS[:9], "'", '"', "/*", "*/", "--", "or ", "select ", "<", "on", "=", "%27", "&#", "\\u00"]
        )
    ).map("".join)
)


@given(hostile)
@example("&#" + "9" * 5000 + ";")
@example("\\u{ffffff}")
@example("%ud800")
@example("\ud800' or 1=1")
def test_no_text_breaks_the_detectors(text):
    for found in (detect_sql_injection(text), detect_xss(text), detect_near(text)):
        assert found is None or found.score


@given(hostile)
def test_spellings_are_few_and_none_is_longer_than_the_text_allows(text):
    found = [*spellings(text)]

    assert found[0] == text.lower()
    assert len(found) == len({*found}) <= 7
    assert all(len(spelling) <= 3 * len(text) + 3 for spelling in found)


@given(hostile)
def test_a_shape_has_a_letter_a_token_up_to_a_number(text):
    assert len(shape(text)) <= 2 * MOST
    assert len(inside(text, "'")) <= 2 * MOST + 1


@given(st.text())
def test_plain_letters_stay_as_they_are(text):
    seen = "".join(char for char in text if " " <= char <= "~")

    assert plain(seen) == seen
