"""Decisions: kept within bounds, found by request, counted by rule, told again after an outage."""

from __future__ import annotations

import asyncio

import pytest

from nexus_middleware.errors import StoreError
from nexus_middleware.rules.decisions import Decision, Record, Ruling
from nexus_middleware.services import decisions as module
from nexus_middleware.services.decisions import Decisions, Sought
from tests.helpers import Clock

NOW = 1_800_000_000.0


@pytest.fixture
def decisions(any_store):
    return Decisions(any_store, clock=Clock(NOW))


def record(name="id-1", outcome="refused", rule="sign-in"):
    binds = outcome == "refused"
    decision = Decision("RateLimit", "answered", 429, "", (Ruling(rule, outcome == "passed", binds),))
    return Record(name, NOW, "203.0.113.9", "GET", "/", 429, outcome, (decision,))


def test_a_refusal_is_found_by_its_request_in_another_process_too(decisions):
    decisions.note(record())
    decisions.tick(NOW)

    other = Decisions(decisions._store, clock=Clock(NOW))
    assert other.find("id-1")["decisions"][0]["rules"][0]["rule"] == "sign-in"
    assert other.find("id-2") is None
    assert other.here() == []


def test_what_passed_is_kept_by_this_process_alone(decisions):
    decisions.note(record(outcome="passed"))

    assert decisions.find("id-1")["outcome"] == "passed"
    assert decisions.latest() == []
    assert [each["request_id"] for each in decisions.here()] == ["id-1"]


def test_rules_are_counted_apart_and_shadows_beside_what_binds(decisions):
    for outcome in ("refused", "refused", "would refuse"):
        decisions.note(record(outcome=outcome))
    decisions.note(record(rule="search"))

    assert decisions.counts() == [
        {"layer": "RateLimit", "rule": "sign-in", "refused": 2, "wouldRefuse": 1},
        {"layer": "RateLimit", "rule": "search", "refused": 1, "wouldRefuse": 0},
    ]


def test_a_flood_is_bounded_and_counted_whole(decisions, monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    for n in range(30):
        decisions.note(record(f"id-{n}"))

    assert len(decisions.latest(100)) == 10
    assert decisions.counts()[0]["refused"] == 30
    assert len(decisions.here(5)) == 5


def test_what_the_store_did_not_take_is_told_again(decisions, monkeypatch):
    run = decisions._store.run

    def down(commands):
        raise StoreError("down")

    decisions.note(record())
    monkeypatch.setattr(decisions._store, "run", down)
    with pytest.raises(StoreError):
        decisions.tick(NOW)
    monkeypatch.setattr(decisions._store, "run", run)
    assert decisions.counts()[0]["refused"] == 1
    assert len(decisions.latest()) == 1


def test_the_event_loop_has_the_same(store):
    decisions = Decisions(store, clock=Clock(NOW))
    decisions.note(record())

    async def all_of_them():
        return await decisions.alatest(), await decisions.afind("id-1"), await decisions.acounts()

    latest, found, counts = asyncio.run(all_of_them())
    assert latest[0]["request_id"] == found["request_id"] == "id-1"
    assert counts[0]["rule"] == "sign-in"


def test_records_are_filtered_and_go_on_after_the_last_one_of_a_page(decisions):
    for n in range(4):
        decisions.note(record(f"id-{n}", outcome="would refuse" if n % 2 else "refused", rule=f"rule-{n // 2}"))

    def ids(**sought):
        return [each["request_id"] for each in decisions.latest(10, Sought(**sought))]

    assert ids(outcome="would refuse") == ["id-3", "id-1"]
    assert ids(rule="rule-0") == ["id-1", "id-0"]
    assert ids(client="192.0.2.1") == []
    first = decisions.latest(3)
    assert ids(cursor=first[-1]["id"]) == ["id-0"]
    assert [each["id"] for each in decisions.here(3)] == [each["id"] for each in first]
    assert decisions.find("id-1")["id"] == first[2]["id"]
