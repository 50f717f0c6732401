"""What was purged, as this process remembers it."""

import pytest

from nexus_middleware.rules.caching.entry import Entry
from nexus_middleware.stores import purges
from nexus_middleware.stores.purges import Purge, Purges

KEY = "https://shop.example/courses/1\nGET"


def entry(**options):
    return Entry(200, [], b"", born=0.0, fresh=2_000.0, stale=2_000.0, rescue=2_000.0, kept=2_000.0, **options)


@pytest.mark.parametrize(
    ("purge", "gone"),
    [
        (Purge(3, "url", "/courses/1"), True),
        (Purge(3, "url", "https://shop.example/courses/1"), True),
        (Purge(3, "url", "https://other.example/courses/1"), False),
        (Purge(3, "url", "/courses"), False),
        (Purge(3, "prefix", "/courses/"), True),
        (Purge(3, "prefix", "/users/"), False),
        (Purge(3, "tag", "courses"), True),
        (Purge(3, "tag", "users"), False),
        (Purge(2, "url", "/courses/1"), False),
    ],
)
def test_a_purge_takes_what_it_is_about_and_what_is_older_than_itself(purge, gone):
    known = Purges()
    known.note(purge)
    assert (known.judge(KEY, entry(known=2, tags=("courses",))) is None) is gone


def test_a_soft_purge_leaves_a_stale_answer_and_a_hard_one_of_the_same_takes_it():
    known = Purges()
    known.note(Purge(1, "tag", "courses", soft=True, at=1_000.0))
    left = known.judge(KEY, entry(known=0, tags=("courses",)))
    assert left is not None and left.fresh == 1_000.0
    known.note(Purge(2, "tag", "courses"))
    assert known.judge(KEY, entry(known=0, tags=("courses",))) is None


@pytest.mark.parametrize("kind", ["prefix", "url"])
def test_an_answer_older_than_all_purges_that_are_remembered_counts_as_purged(monkeypatch, kind):
    monkeypatch.setattr(purges, "KEPT", 3)
    known = Purges()
    for number in range(1, 6):
        known.note(Purge(number, kind, f"/{number}"))
    assert known.judge("https://a.example/x\nGET", entry(known=1)) is None
    assert known.judge("https://a.example/x\nGET", entry(known=2)) is not None
    assert known.judge("https://a.example/5\nGET", entry(known=4)) is None


def test_what_begins_anew_with_a_full_list_trusts_nothing_older(monkeypatch):
    monkeypatch.setattr(purges, "KEPT", 2)
    known = Purges()
    known.begin(9, [Purge(8, "url", "/b"), Purge(7, "url", "/a")], anew=True)
    assert (known.known, known.era) == (9, 1)
    assert known.judge(KEY, entry(known=6)) is None
    assert known.judge(KEY, entry(known=7)) is not None
