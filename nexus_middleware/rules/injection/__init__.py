"""SQL and script in what a client sends, told from everything else."""

from __future__ import annotations

from .decoders import spellings
from .finding import Finding
from .sql import detect_sql_injection, may_be_sql
from .sql import judge as judge_sql
from .sql_rules import STRONG as SQL_WORDS
from .words import AROUND, LONGEST, beyond
from .xss import detect_xss, may_be_script
from .xss import judge as judge_script
from .xss_rules import STRONG as XSS_WORDS

__all__ = ["Finding", "detect", "detect_near", "detect_sql_injection", "detect_xss", "worth"]

_WORDS = (*SQL_WORDS, *XSS_WORDS, "%3cscript", "u003cscript")
_OF_SCRIPT = tuple(word for word in _WORDS if "script" in word)
_OTHERS = tuple(word for word in _WORDS if "script" not in word)


def detect(text: str) -> Finding | None:
    """Return what gives `text` away as either, None if nothing does.

    >>> detect("1;waitfor delay '0:0:5'").rule, detect("<script>").category, detect("hello")
    ('sql-wait', 'xss', None)
    """
    head = text[:LONGEST]
    if not head.isalnum():
        sql, script = may_be_sql(head), may_be_script(head)
        for spelling in spellings(head) if sql or script else ():
            if found := (judge_sql(spelling) if sql else None) or (judge_script(spelling) if script else None):
                return found
    return _beyond(text[LONGEST - AROUND :]) if len(text) > LONGEST else None


def worth(text: str) -> bool:
    """Whether `text` needs to be judged at all; nearly free.

    >>> worth("Ada Lovelace"), worth("O'Hara")
    (False, True)
    """
    head = text[:LONGEST]
    return not head.isalnum() and (may_be_sql(head) or may_be_script(head))


def detect_near(text: str) -> Finding | None:
    """Judge only what stands around the strongest words of a long text that may hold many values."""
    return _beyond(text.replace("+", " "))


def _beyond(text: str) -> Finding | None:
    text = text.lower()
    return beyond(text, (*_OTHERS, *_OF_SCRIPT) if "script" in text else _OTHERS, detect)
