"""Tell script, and markup that runs or loads it, from other text."""

from __future__ import annotations

import re

from .finding import Finding
from .words import Words, judged
from .xss_rules import ATTRIBUTES, EVENTS, STRONG, WORDS

MOST = 32  # attributes that are looked at
CATEGORY = "xss"

_HINT = re.compile(r"[<&%\\(`\[=@\x00]|:(?<!\d:)|/\*|document|\+[aA]|[\x80-\xff\u2000-\u33ff\ufb00-\uffff]").search
_COMMENT = re.compile(r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/")
_EQUALS = r"(?:[\s\x00-\x20\xa0/\\]|\\x[0-9a-f]{2}|%[0-9a-f]{2}){0,9}+=(?!=)"
_HANDLER = re.compile(f"on(?P<event>[a-z]{{3,30}}){_EQUALS}").search
_LOADER = re.compile(f"(?:{'|'.join(ATTRIBUTES)}){_EQUALS}").search
_WORDS = frozenset(("line", "ward"))  # that begin like a handler: online, onward
_KNOWN = tuple(EVENTS.split())
_RUNS = re.compile(r"[\s\"'`]{0,9}+[^\s\"'`>(=.\[]{0,60}+[(`=.\[]").match  # a value that calls or assigns
_LINK = re.compile(r"rel\s?=\s?['\"]?(?:stylesheet|import)")

_OF_LINK = Finding("xss-link", 7, CATEGORY)
_OF_TAG = Finding("xss-attribute", 8, CATEGORY)
_OF_QUOTE = Finding("xss-breakout", 7, CATEGORY)


def detect_xss(text: str) -> Finding | None:
    """Return what gives `text` away as cross-site scripting, None if nothing does.

    It judges the text, and what is left after each layer of encoding. Plain markup such as `<b>` or an image is none.
    It is a second line of defence: a page that escapes what it shows is the first.

    >>> detect_xss("<img src=x onerror=run>").rule
    'xss-attribute'
    >>> detect_xss("I <3 you, <b>really</b>: see https://example.org/?a=1&b=2")

    Args:
        text: One value, of any length; the time it takes is in proportion.
    """
    return judged(text, may_be_script, judge, STRONG)


def may_be_script(text: str) -> bool:
    """Whether `text` has a mark that script and markup cannot do without."""
    return _HINT(text) is not None


def judge(text: str) -> Finding | None:
    """Return what gives one spelling of a text away, in lower case."""
    found = _words.find(text) or _attribute(text)
    if found is None and "/*" in text:
        bare = _COMMENT.sub("", text)
        found = _words.find(bare) or _attribute(bare)
    return found


def _attribute(text: str) -> Finding | None:
    """Return what an attribute that runs something gives away, within a tag or behind a quote that ends another."""
    if "=" not in text:
        return None
    at = 0
    for _ in range(MOST):
        met = _HANDLER(text, at)
        if met is None:
            break
        if not _continues(text, met.start()) and (found := _judge_handler(text, met)):
            return found
        at = met.start() + 2
    loader = _LOADER(text) if any(name in text for name in ATTRIBUTES) else None
    if loader and _in_tag(text, loader.start()):
        return _OF_TAG
    if "<link" in text and (link := _LINK.search(text)) and _in_tag(text, link.start()):
        return _OF_LINK
    return None


def _judge_handler(text: str, met: re.Match[str]) -> Finding | None:
    event, start = met["event"], met.start()
    if event in _WORDS:
        return None
    if _in_tag(text, start):
        return _OF_TAG
    behind_quote = any(mark in text[:start] for mark in "'\"`<>")
    return _OF_QUOTE if behind_quote and event.startswith(_KNOWN) and _RUNS(text, met.end()) else None


def _continues(text: str, start: int) -> bool:
    """Whether what begins at `start` is the rest of a longer word."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] in "_-.$?&")


def _in_tag(text: str, start: int) -> bool:
    opened = text.rfind("<", 0, start)
    return opened >= 0 and not text[opened + 1].isspace() and text.rfind(">", opened, start) < 0


_words = Words(CATEGORY, WORDS)
