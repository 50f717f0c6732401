"""Access logs: three formats, and whatever else stands in a log."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware.rules.accesslog import read_line

AT = datetime(2026, 10, 10, 11, 55, 36, tzinfo=UTC).timestamp()
COMMON = b'203.0.113.9 - ann [10/Oct/2026:13:55:36 +0200] "get /a%20b?x=1 HTTP/1.1" 429 2326'


def test_the_common_log_format_is_read():
    visit = read_line(COMMON)

    assert (visit.at, visit.client, visit.user) == (AT, "203.0.113.9", "ann")
    assert (visit.method, visit.path, visit.status) == ("GET", "/a%20b", 429)


def test_the_combined_log_format_is_read_with_quotes_in_its_agent():
    visit = read_line(COMMON + rb' "https://x.example/\"q\"" "curl \"8\""' + b"\n")

    assert visit.agent == r"curl \"8\""


def test_our_own_lines_are_read_and_begin_when_the_request_came():
    line = b'{"at":"2026-10-10T11:55:36.500Z","level":"http","event":"request","kind":"request","method":"POST",'
    line += (
        b'"path":"/login","status":200,"ms":500.0,"client":"2001:db8::1","request_id":"x","agent":"a","caller":"shop"}'
    )

    visit = read_line(line)

    assert (visit.at, visit.client, visit.method, visit.user) == (AT, "2001:db8::1", "POST", "shop")


def test_a_target_with_a_host_is_its_path():
    assert read_line(COMMON.replace(b"/a%20b", b"http://x.example/a/b")).path == "/a/b"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"hello",
        b'{"at":"2026-10-10T11:55:36Z","event":"start"}',
        b'{"at":"2026-10-10T11:55:36Z","kind":"query","method":"GET","path":"/","status":200}',
        b'{"at":"2026-10-10T11:55:36","method":"GET","path":"/","status":200}',
        b'{"at"',
        COMMON.replace(b"Oct", b"Foo"),
        COMMON.replace(b"429", b"-"),
        b'203.0.113.9 - - [10/Oct/2026:13:55:36 +0200] "\\x16\\x03" 400 0',
    ],
)
def test_what_is_about_no_request_is_left_out(line):
    assert read_line(line) is None


@given(
    line=st.binary(max_size=300)
    | st.binary(max_size=80).map(lambda x: b"{" + x)
    | st.binary(max_size=80).map(lambda x: COMMON + x)
)
def test_no_line_does_any_harm(line):
    read_line(line)
