"""Taking bodies apart: every text is met, by a name that says where, and what is none is left to the app."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware.rules.fields import MOST, cookies, json_fields, leaves, pairs, parts

FORM = (
    b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nOne\r\nTwo\r\n'
    b'--x\r\ncontent-disposition: form-data; name="file"; filename="a\'.txt"\r\nContent-Type: text/plain\r\n\r\nnot read\r\n'
    b"--x\r\nContent-Disposition: form-data; name=bare\r\n\r\n\r\n--x--\r\n"
)


def test_a_query_is_decoded_once():
    assert [*pairs("a=%2527+x&b&=c&a=2=3")] == [("a", "%27 x"), ("", "b"), ("", "c"), ("a", "2=3")]


def test_cookies_are_parted_by_semicolons_alone():
    assert [*cookies("a=1; b=x=y;c")] == [("a", "1"), ("b", "x=y"), ("c", "")]


@pytest.mark.parametrize("boundary", [b"boundary=x", b'boundary="x"', b"charset=utf-8; BOUNDARY=x"])
def test_a_multipart_form_gives_its_texts_and_the_names_of_its_files(boundary):
    assert [*parts(FORM, b"multipart/form-data; " + boundary)] == [
        ("title", "One\r\nTwo"),
        ("file", "a'.txt"),
        ("bare", ""),
    ]


def test_a_multipart_form_without_a_boundary_gives_nothing():
    assert [*parts(FORM, b"multipart/form-data")] == []


def test_line_ends_without_a_return_hide_no_part():
    assert next(parts(FORM.replace(b"\r\n", b"\n"), b"multipart/form-data; boundary=x")) == ("title", "One\nTwo")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a": }', b"[" * 100_000, b"nul", b'"\xff"'])
def test_what_is_no_json_gives_nothing(body):
    assert [*json_fields(body)] == []


@pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_json_is_read_in_every_encoding_that_python_reads(encode):
    assert [*json_fields('{"a": "é"}'.encode(encode))] == [("a", "a"), ("a", "é")]


def test_json_with_what_only_python_takes_for_json_is_read():
    assert [*json_fields(b'{"a": NaN, "b": "x"}')][-1] == ("b", "x")


def test_a_document_of_too_many_values_is_read_up_to_a_number():
    assert len([*json_fields(json.dumps(["x"] * 3 * MOST).encode())]) < MOST + 1


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def texts(value):
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in [*([key] if key else []), *texts(inner)]]
    return [text for inner in value for text in texts(inner)] if isinstance(value, list) else []


@given(documents)
def test_every_text_of_a_document_is_met(document):
    assert sorted(text for _, text in leaves(document)) == sorted(texts(document))


@given(st.binary(), st.binary())
def test_no_bytes_break_the_readers(body, kind):
    assert all(isinstance(text, str) for _, text in json_fields(body))
    assert all(isinstance(text, str) for _, text in parts(body, b"multipart/form-data; boundary=" + kind))
    assert all(isinstance(text, str) for _, text in pairs(body.decode("latin-1")))
