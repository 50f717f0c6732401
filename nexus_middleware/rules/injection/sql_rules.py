"""What gives an SQL injection away: shapes of the code around the value, and words that no honest value holds."""

from __future__ import annotations

from typing import Final

_V = "[1snvV]"  # a value
_OPEN, _CLOSE = r"[(!a]*", r"\)*"

# Words that stand in injections alone, wherever they are, without comments between them.
WORDS: Final = [
    ("sql-union", 9, ["union"], r"union\s{1,20}(?:all\s{1,20}|distinct\s{1,20})?\(?\s{0,20}select\b"),
    ("sql-wait", 9, ["waitfor"], r"waitfor\s{1,20}(?:delay|time)\s{0,20}['\"(@]"),
    (
        "sql-sleep",
        9,
        ["sleep"],
        r"(?:\b(?:or|and|xor|where|select|having|by|rlike|then)|\|\||&&)[\s(!+-]{0,20}(?:pg_)?sleep\s?\(",
    ),
    ("sql-schema", 8, ["information_schema"], r"information_schema\s{0,20}\.\s{0,20}\w"),
    (
        "sql-schema",
        8,
        ["mysql.user", "sysobjects", "sqlite_master"],
        r"(?:\bfrom|,)\s{1,20}(?:mysql\.user|sysobjects|sqlite_master)\b",
    ),
    (
        "sql-package",
        9,
        ["utl_", "dbms_", "ctxsys"],
        r"\b(?:utl_(?:http|inaddr)\.\w|dbms_(?:pipe|lock)\.\w|ctxsys\.drithsx)[\w.]{0,40}\s?\(",
    ),
    (
        "sql-shell",
        9,
        ["xp_", "sp_"],
        r"\bxp_(?:cmdshell|regread|dirtree|fileexist)\b|\bsp_(?:executesql|oacreate|password|makewebtask)\b",
    ),
    (
        "sql-file",
        9,
        ["outfile", "dumpfile", "load_file", "lo_"],
        r"\binto\s{1,20}(?:out|dump)file\b|\bload_file\s?\(|\blo_(?:import|get|export)\s?\(",
    ),
    ("sql-analyse", 9, ["analyse"], r"procedure\s{1,20}analyse\s?\("),
    ("sql-mode", 8, ["boolean"], r"['\"]\s{0,20}in\s{1,20}boolean\s{1,20}mode\b"),
    (
        "sql-true",
        7,
        ["true", "false"],
        r"^(?:\d{1,12}|[^\s'\"]{0,40}['\"])?\)?\s{0,9}(?:\b(?:or|and)|\|\||&&)\s{1,9}(?:not\s{1,9})?(?:true|false)\s{0,9}(?:$|[-#;)])",
    ),
    ("sql-declare", 8, ["declare"], r"declare\s{1,20}@\w"),
    (
        "sql-drop",
        8,
        ["drop"],
        r"drop\s{1,20}(?:table|database)\s{1,20}(?:if\s{1,20}exists\s{1,20})?[\w.`\"\[\]]{1,60}\s{0,9}(?:;|--|\#|$)",
    ),
    (
        "sql-execute",
        8,
        ["exec"],
        r"exec(?:ute\s{1,20}immediate\s{1,20}['\"]|(?:ute)?\s?\(\s{0,20}(?:@|char\())",
    ),
]
# Of these the places in a long text are judged.
STRONG: Final = ("union", "waitfor", "sleep", "information_schema", "xp_", "outfile", "load_file")

# Shapes, wherever they stand; the letters are explained at `sql_tokens.shape`.
ANYWHERE: Final = [
    ("sql-union", 9, r"U(?:d?\(*E|d[fg]\(|d?\(E)"),
    ("sql-tautology", 8, rf"[&W]{_OPEN}[1sV]{_CLOSE}o{_OPEN}[1sV]|C\(*[1s]o[1s]|so\(*[1s]&"),
    ("sql-call", 8, rf"&{_OPEN}(?:{_V}{_CLOSE}o{_OPEN})?(?:\(E)?g\(|oo?\(s,g\("),
    ("sql-subselect", 8, r"\(E(?:[1gvVaCfd]|\(|s[,)F]|n(?:,n)*F[^w])|[&ao,]\(*E[1gvVas(]"),
    ("sql-stacked", 8, r";(?:E(?:[1gvVaC(]|n[F,])|T(?:kn|F[^w]|F$|nk|n\(|v|g|ng|c|$|\(s)|g\([1s]o[1s])"),
]
# Shapes of a value that goes into the SQL as it is, from its head on.
BARE: Final = [
    (
        "sql-statement",
        7,
        r"[(]*E(?:[1vVg(C]|a[F1vVg(]|nF[n(](?:[;c)WOa]|$)|n,|s[,F])|T(?:nFs|kTk|Fnk?\(|FnWno|nkno|k[fn]\()",
    ),
    (
        "sql-break",
        7,
        rf"a*[1vans]*\)+(?:&{_OPEN}(?:{_V}{_CLOSE}o|g\(|f\()|U|(?:kn)?W\(*{_V}o|;[ETW]|OB1|c$|&\(*n.?c)",
    ),
    (
        "sql-logic",
        7,
        rf"[1v]?&{_OPEN}(?:{_V}{_CLOSE}o{_OPEN}(?:g\(|1$|1c|s$|sc|\(E)|g\(|1c|1OB|[1s]o(?:$|1&1))|n?&\(*non\)*(?:c|$)",
    ),
    ("sql-order", 6, r"a?(?:1,)*[1s]?OB(?:1(?:,[1g])*\)?k?(?:c|$)|g\(|1,)|(?:Fn)?OBn(?:W|c)|FnOBn,n"),
    ("sql-having", 6, rf"a?[1sn]?(?:kn)?W\(*(?:[1s]{_CLOSE}o\(*[1s]|[1n]c)"),
    ("sql-wait", 8, r"[1s),]*Tks"),
    ("sql-arithmetic", 6, r"1?[a&]+(?:\(E|g\(.*c|[kg]\(?g)|\(1o1\)|1o1$|s!?os$"),
    ("sql-call", 7, r"[;,]?g\((?:$|[1s]+\)(?:c|os?$|;|$)|1o1|[(]*g\()"),
]
# Shapes of what follows the quote that ends the value. Those below 8 must not be a mere quotation.
INSIDE: Final = [
    ("sql-quote-comment", 6, r"s\)*[,1]*c"),
    ("sql-quote-logic", 8, rf"s{_CLOSE}&{_OPEN}(?:{_V}{_CLOSE}[oca]|[gf]\(|E|1\)*&|n!)"),
    ("sql-quote-word", 7, rf"s{_CLOSE}&{_OPEN}{_V}{_CLOSE}$"),
    ("sql-quote-union", 8, r"s\)*U[dE(]"),
    ("sql-quote-stacked", 8, r"s\)*;+(?:[EU]|T[knFvc(]|T$|C|c|$)"),
    ("sql-quote-clause", 7, r"s\)*(?:kn)?(?:W\(*[1sngf]|OB[1sngf(]|E[1gfvVF(an]|T[Fk]|Fv)"),
    (
        "sql-quote-operator",
        7,
        r"s\)*(?:o+\(*(?:[1gvV]|s|n?c|\(E)|\.g\(|a+(?:\(*[Eg]|s$|[1n]c)|&?,?\(E|&g|,1|,n(?:,n)*\))",
    ),
]
