"""Lists as files: whole, bounded, with the rights of the list, and nothing that a spreadsheet would compute."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware.admin import download
from nexus_middleware.admin.api import RESOURCES
from nexus_middleware.admin.download import MOST, table
from nexus_middleware.rules.security_events import Event

FORMULA = '=cmd|" /C calc"!A0'


def rows(body):
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def note(desk, count):
    for n in range(count):
        desk.nexus.security.note(Event("sqli", 1_700_000_000.0 + n, "high", f"192.0.2.{n}", "GET", "/", "refused"))


def test_a_list_comes_whole_as_csv_with_a_name_and_a_line_in_the_log(desk):
    for n in range(3):
        desk.ask("/security/blocked", method="POST", body={"address": f"192.0.2.{n}", "reason": FORMULA})
    seen = desk.ask("/security/blocked?download=csv")

    assert seen.headers["content-type"].startswith("text/csv")
    assert seen.headers["content-disposition"].startswith('attachment; filename="blocked-')
    assert seen.headers["cache-control"] == "no-store"
    assert seen.headers["x-truncated"] == "false"
    assert [row["reason"] for row in rows(seen.body)] == ['\'=cmd|" /C calc"!A0'] * 3
    assert any(b"admin.download" in (line if isinstance(line, bytes) else str(line).encode()) for line in desk.log)


def test_more_than_a_page_is_followed_to_the_end_and_json_has_the_list_s_own_shape(desk, monkeypatch):
    note(desk, 12)
    monkeypatch.setattr(download, "PAGE", 5)
    told = json.loads(desk.ask("/security/events?download=json&kind=sqli").body)

    assert set(told) >= {"items", "nextCursor", "total", "totalExact", "meta"}
    assert len(told["items"]) == 12
    assert len({item["id"] for item in told["items"]}) == 12


def test_a_file_has_a_bound_and_says_when_there_is_more(desk, monkeypatch):
    note(desk, 12)
    monkeypatch.setattr(download, "PAGE", 5)
    monkeypatch.setattr(download, "MOST", 10)
    seen = desk.ask("/security/events?download=csv&kind=sqli")

    assert len(rows(seen.body)) == 10
    assert seen.headers["x-truncated"] == "true"
    assert MOST == 5_000


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/security/blocked?download=xlsx", "bad_download"),
        ("/security/blocked?download=", "bad_download"),
        ("/health?download=csv", "no_list"),
        ("/security/events?download=csv&kind=" + "x" * 300, "bad_kind"),
    ],
)
def test_what_cannot_be_a_file_is_told_in_a_line(desk, path, code):
    assert desk.problem(path)["code"] == code


def test_a_file_needs_the_right_of_its_list(make):
    desk = make(access=lambda scope: {"view"})

    assert desk.problem("/logs?download=csv", headers=[])["code"] == "forbidden"
    assert desk.ask("/security/events?download=csv", headers=[]).status == 200


def test_nobody_gets_a_file_without_a_credential(desk):
    lists = [path for path, each in RESOURCES.items() if "GET" in each.actions and "{" not in path]

    assert {desk.ask(f"{path}?download=csv", headers=[]).status for path in lists} == {401}


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.integers() | st.none(), max_size=3)))
def test_no_cell_begins_as_a_formula_and_every_row_is_there(given_rows):
    read = list(csv.reader(io.StringIO(table(given_rows).decode("utf-8-sig"), newline="")))
    numbers = {str(value) for row in given_rows for value in row.values() if isinstance(value, int)}

    risky = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
    assert not [cell for line in read for cell in line if cell and cell[0] in risky and cell not in numbers]
