"""What a detector says: which rule, how sure, of what kind, and where."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """Text that looks like an attack.

    It is true in a condition, and holds nothing of the text itself.

    >>> bool(Finding("sql-union", 9, "sqli"))
    True
    """

    rule: str  # the rule's stable name
    score: int  # 1 to 10: how sure the rule is
    category: str  # "sqli" or "xss"
    place: str = ""  # where it stood, such as "query q"; "" if only a text was judged
