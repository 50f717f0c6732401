"""Every command but the counting ones: both stores answer alike."""

import math

import pytest

from nexus_middleware.rules.globs import escape
from nexus_middleware.stores import commands as c
from nexus_middleware.stores.memory import MemoryStore


def ask(store, command):
    return store.run([command])[0]


def test_what_is_put_is_there_until_it_is_dropped(any_store):
    assert ask(any_store, c.Get("k")) is None
    assert ask(any_store, c.Put("k", b"\0v", 60)) is True
    assert ask(any_store, c.Get("k")) == b"\0v"
    assert ask(any_store, c.Drop(("k", "none"))) == 1
    assert ask(any_store, c.Get("k")) is None
    assert ask(any_store, c.Drop(())) == 0


def test_what_is_put_only_if_absent_leaves_what_is_there(any_store):
    assert [ask(any_store, c.Put("k", v, 60, absent=True)) for v in (b"a", b"b")] == [True, False]
    assert ask(any_store, c.Get("k")) == b"a"


def test_a_key_says_how_long_it_lives(any_store):
    any_store.run([c.Put("short", b"", 60), c.Put("long", b"", None)])

    assert ask(any_store, c.Remaining("short")) == pytest.approx(60, abs=1)
    assert ask(any_store, c.Remaining("long")) == math.inf
    assert ask(any_store, c.Remaining("none")) is None


def test_a_value_is_gone_when_its_time_is_over(store, clock):
    store.run([c.Put("k", b"v", 60), c.SetFields("h", {"a": b"1"}, 60)])
    clock.now += 60
    assert store.run([c.Get("k"), c.GetFields("h")]) == [None, {}]


def test_a_counter_begins_at_nothing_and_keeps_the_end_it_was_given_first(any_store):
    assert [ask(any_store, c.Add("n", amount, 60)) for amount in (1, 5, -2)] == [1, 6, 4]
    assert ask(any_store, c.Get("n")) == b"4"
    assert ask(any_store, c.Remaining("n")) == pytest.approx(60, abs=1)
    assert ask(any_store, c.Add("plain")) == 1
    assert ask(any_store, c.Remaining("plain")) == math.inf


def test_a_scan_finds_the_keys_below_a_literal_prefix_that_fit_the_pattern(any_store):
    for key in ("cache:user:1", "cache:user:2", "cache:course:1", "page:user:1", "cache*:x", "cachex:x"):
        any_store.run([c.Put(key, b"", 60)])

    def found(prefix, pattern="*"):
        keys, cursor = [], 0
        while True:
            cursor, page = ask(any_store, c.Scan(prefix, pattern, cursor))
            keys += page
            if not cursor:
                return sorted(keys)

    assert found("cache:") == ["cache:course:1", "cache:user:1", "cache:user:2"]
    assert found("cache:", "user:?") == ["cache:user:1", "cache:user:2"]
    assert found("cache:", "*:[2-9]") == ["cache:user:2"]
    assert found("cache*:") == ["cache*:x"]
    assert found("cache:", escape("user:*")) == []


def test_fields_of_a_hash_are_set_added_to_read_and_dropped(any_store):
    any_store.run([c.SetFields("h", {"a": b"1", "b": b"x"}), c.AddFields("h", {"a": 4, "n": -1}, 60)])

    assert ask(any_store, c.GetFields("h")) == {"a": b"5", "b": b"x", "n": b"-1"}
    assert ask(any_store, c.DropFields("h", ("a", "none"))) == 1
    assert ask(any_store, c.GetFields("h")) == {"b": b"x", "n": b"-1"}
    assert ask(any_store, c.GetFields("none")) == {}


def test_a_list_keeps_its_newest_and_gives_them_newest_first(any_store):
    any_store.run([c.Push("l", (b"1", b"2"), 3), c.Push("l", (b"3", b"4"), 3, 60)])

    assert ask(any_store, c.Latest("l", 10)) == [b"4", b"3", b"2"]
    assert ask(any_store, c.Latest("l", 1)) == [b"4"]
    assert ask(any_store, c.Latest("none", 1)) == []


def test_a_store_says_what_it_is(any_store):
    facts = ask(any_store, c.Facts())
    assert facts["flavour"] in ("memory", "redis", "valkey")
    assert int(facts["used_memory"]) >= 0


def test_answers_come_in_the_order_of_the_questions(any_store):
    assert any_store.run([c.Put("a", b"1", 60), c.Get("a"), c.Add("n"), c.Drop(("a",)), c.Get("a")]) == [
        True,
        b"1",
        1,
        1,
        None,
    ]


def test_the_memory_store_stays_within_its_bytes_and_drops_the_oldest_first(clock):
    store = MemoryStore(clock=clock, max_bytes=100_000)
    for i in range(500):
        store.run([c.Put(f"k{i}", b"x" * 1000, None)])

    assert int(ask(store, c.Facts())["used_memory"]) <= 100_000
    assert ask(store, c.Get("k0")) is None
    assert ask(store, c.Get("k499")) is not None


def test_what_is_told_again_counts_once_in_every_hash_it_is_told_for(any_store):
    rows = (
        c.Row({"minute": 60, "ever": None}, {"n": 3, "b40": 1}, {"top": 250}),
        c.Row({"minute": 60}, {"n": 1}, {"top": 100}),
    )

    assert ask(any_store, c.AddOnce("host:1", 7, rows)) is True
    assert ask(any_store, c.AddOnce("host:1", 7, rows)) is False
    assert ask(any_store, c.AddOnce("host:1", 6, rows)) is False
    assert ask(any_store, c.AddOnce("host:2", 1, (c.Row({"ever": None}, {}, {"top": 9}),))) is True

    assert ask(any_store, c.GetFields("minute")) == {"n": b"4", "b40": b"1", "top": b"250"}
    assert ask(any_store, c.GetFields("ever")) == {"n": b"3", "b40": b"1", "top": b"250"}


def test_a_later_telling_counts_too(any_store):
    for number in (1, 2):
        assert ask(any_store, c.AddOnce("host:1", number, (c.Row({"h": 60}, {"n": 5}, {"top": number}),)))

    assert ask(any_store, c.GetFields("h")) == {"n": b"10", "top": b"2"}


def test_hashes_are_added_up_and_of_some_fields_the_greatest_counts(any_store):
    any_store.run([c.AddFields("a", {"n": 3, "x:m": 40, "b1": 1}), c.AddFields("b", {"n": 2**40, "x:m": 9}, 60)])

    summed = ask(any_store, c.SumFields(("a", "none", "b"), ":m"))

    assert summed == {"n": b"%d" % (2**40 + 3), "x:m": b"40", "b1": b"1"}
    assert ask(any_store, c.SumFields(("none",), ":m")) == {}
