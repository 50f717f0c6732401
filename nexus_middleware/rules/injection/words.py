"""Rules that are tried only where a word of theirs stands: to look for a word costs next to nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from .decoders import spellings
from .finding import Finding

LONGEST = 8192  # characters of a text that are judged in full; of the rest only what stands around strong words
AROUND = 200  # characters before and behind a word in a long text
MOST = 8  # places of one word that are looked at in a long text

Rule = tuple[str, int, Sequence[str], str]  # name, score, words of which one must be there, pattern


class Words:
    r"""Rules of one category, for texts in lower case.

    >>> Words("sqli", [("sql-sleep", 9, ["sleep"], r"\bsleep\(")]).find("1;sleep(5)").rule
    'sql-sleep'
    """

    def __init__(self, category: str, rules: Iterable[Rule]) -> None:
        self._rules = [
            (word, re.compile(pattern).search, Finding(name, score, category))
            for name, score, words, pattern in rules
            for word in words
        ]

    def find(self, text: str) -> Finding | None:
        """Return the first rule that fits."""
        for word, search, finding in self._rules:
            if word in text and search(text):
                return finding
        return None


def judged(
    text: str, may_be: Callable[[str], bool], judge: Callable[[str], Finding | None], strong: Iterable[str]
) -> Finding | None:
    """Judge each spelling of the head of a `text` that may be an attack at all, and the rest around `strong` words."""
    head = text if len(text) <= LONGEST else text[:LONGEST]
    if not head.isalnum() and may_be(head):
        for spelling in spellings(head):
            if found := judge(spelling):
                return found
    return beyond(text[LONGEST - AROUND :].lower(), strong, judge) if len(text) > LONGEST else None


def beyond(text: str, words: Iterable[str], judge: Callable[[str], Finding | None]) -> Finding | None:
    """Judge what stands around `words` in a `text` in lower case: what is affordable for a long one."""
    for word in words:
        for at in _places(text, word):
            if found := judge(text[max(0, at - AROUND) : at + AROUND]):
                return found
    return None


def _places(text: str, word: str) -> Iterator[int]:
    at = -AROUND
    for _ in range(MOST):
        at = text.find(word, at + AROUND if at >= 0 else 0)
        if at < 0:
            return
        yield at
