"""SQL and script in what a client sends, told from everything else."""

from __future__ import annotations

from .finding import Finding
from .sql import detect_sql_injection
from .sql_rules import STRONG as SQL_WORDS
from .words import beyond
from .xss import detect_xss
from .xss_rules import STRONG as XSS_WORDS

__all__ = ["Finding", "detect", "detect_near", "detect_sql_injection", "detect_xss"]

_WORDS = (*SQL_WORDS, *XSS_WORDS, "%3cscript", "u003cscript")


def detect(text: str) -> Finding | None:
    """Return what gives `text` away as either, None if nothing does.

    >>> detect("1;waitfor delay '0:0:5'").rule, detect("<script>").category, detect("hello")
    ('sql-wait', 'xss', None)
    """
    return detect_sql_injection(text) or detect_xss(text)


def detect_near(text: str) -> Finding | None:
    """Judge only what stands around the strongest words of a long text that may hold many values."""
    return beyond(text, 0, _WORDS, lambda part: detect(part.replace("+", " ")))
