"""Tell SQL injection from other text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .finding import Finding
from .sql_rules import ANYWHERE, BARE, INSIDE, STRONG, WORDS
from .sql_tokens import inside, shape
from .words import Words, judged

LOGIC = 2048  # characters in which a logical word makes a shape worth its price
CATEGORY = "sqli"
SURE = 8  # a score that needs no look at the text around

# What may be one at all. Most values end here, so these run at the engine's own speed: marks first, then words.
_MARK = re.compile(r"['\"`;#=<>|&%\\(*\x00\x80-\xff\u02b0-\u02ff\u2000-\u33ff\ufb00-\uffff]|--|@@").search
_WORD = re.compile(
    r"(?:or|and|xor|union|select|having|order|group|where|drop|delete|insert|exec|declare|rlike|waitfor|into)(?![a-z])"
    r"|[sx]p_\w"
).search
_COMMENT = re.compile(r"/\*(?!!)[^*]*+(?:\*(?!/)[^*]*+)*+\*/|/\*!\d*+|\*/")
_LOGICAL = re.compile(
    r"(?:\b(?:or|and|xor|where|having|not|when)\b|&&|\|\|)[^=<>(@]{0,40}+[=<>(@]|;\s*+[a-z(]|select|union|intersect|except"
).search
# A head that leaves the value of a number or a name, or is SQL from the start.
_HEAD = re.compile(
    r"""\s*+(?:
      (?:select|insert|update|delete|create|exec|copy|declare|order|group|having|where|waitfor|as|or|and|xor)\b
    | [^a-z\s](?!\s*[a-z]+\s+(?!or|and)[a-z])
    | (?:[\w.@%]++[\s,]*+)?(?:[-+*/()|&]|(?:or|and|xor|order|group|having|where|as|waitfor|union)\b)
    )""",
    re.VERBOSE,
).match
_AFTER_QUOTE = re.compile(
    r"""[\s)]*+(?:[^\w\s'"]|(?:or|and|xor|union|except|intersect|order|group|having|where|limit|like|rlike|regexp
    |between|in|is|div|mod|select|insert|exec|waitfor|procedure|as|collate|glob|sounds|into|not|delete|drop|update
    |shutdown|goto)\b)""",
    re.VERBOSE,
).match
_QUOTATION = re.compile(r"\S.*[\s(\[=,:{`]", re.DOTALL).fullmatch  # what stands before a quote that opens one
_QUOTED_WORD = re.compile(r"\s*(['\"])\w+\1").match
_REMARK = re.compile(r"(?P<mark>--|\#|/\*)(?P<text>.*+)", re.DOTALL).search


def detect_sql_injection(text: str) -> Finding | None:
    """Return what gives `text` away as SQL injection, None if nothing does.

    It judges the text, and what is left after each layer of encoding, in the three places where SQL may hold it:
    bare, within ' and within ". It is a second line of defence: queries with parameters are the first.

    >>> detect_sql_injection("1' or 'a'='a").rule
    'sql-quote-logic'
    >>> detect_sql_injection("Rock 'n' roll and O'Hara; or 5 of 10")

    Args:
        text: One value, of any length; the time it takes is in proportion.
    """
    return judged(text, may_be_sql, judge, STRONG)


def may_be_sql(text: str) -> bool:
    """Whether `text` has a mark or a word that an injection cannot do without."""
    return _MARK(text) is not None or _WORD(text.lower()) is not None


def judge(text: str) -> Finding | None:
    """Return what gives one spelling of a text away, in lower case."""
    if "/*" in text:
        text = _COMMENT.sub(" ", text)
    if found := _words.find(text):
        return found
    logical = _LOGICAL(text, 0, LOGIC)
    shapes: list[str] = []
    if logical or _HEAD(text):
        shapes.append(shape(text))
        if found := _bare(shapes[0]):
            return found
    for quote in "'\"":
        at = text.find(quote)
        if at >= 0 and (logical or _AFTER_QUOTE(text, at + 1)):
            shapes.append(inside(text, quote))
            found = _inside(shapes[-1])
            if found and (found.score >= SURE or not _is_quotation(text, at, found)):
                return found
    return next(filter(None, map(_anywhere, shapes)), None) if logical else None


def _is_quotation(text: str, at: int, found: Finding) -> bool:
    """Whether the quote at `at` belongs to prose: it opens a quotation, or ends one that a remark follows."""
    head, rest = text[:at], text[at + 1 :]
    if rest and not rest[0].isspace() and rest[0] != ")" and _QUOTATION(head):
        return True
    if head[-1:].isalpha() and rest[:1].isalpha():  # within a word: d'or, l'union
        return True
    if not head.strip() and _QUOTED_WORD(text):
        return True
    remark = _REMARK(rest)
    if found.rule != "sql-quote-comment" or remark is None:
        return False
    if remark["mark"] == "#":
        return bool(remark["text"].strip())
    return len(remark["text"].lstrip("-*").split()) > 1 and " " in head.strip()


class _Shapes:
    """Rules about shapes, as one expression."""

    def __init__(self, rules: Iterable[tuple[str, int, str]], *, anchored: bool) -> None:
        self._findings = [Finding(name, score, CATEGORY) for name, score, _ in rules]
        joined = re.compile("|".join(f"({pattern})" for _, _, pattern in rules))
        self._find = joined.match if anchored else joined.search

    def __call__(self, letters: str) -> Finding | None:
        found = self._find(letters)
        return self._findings[found.lastindex - 1] if found and found.lastindex else None


_words = Words(CATEGORY, WORDS)
_bare, _inside = _Shapes(BARE, anchored=True), _Shapes(INSIDE, anchored=True)
_anywhere = _Shapes(ANYWHERE, anchored=False)
