"""SQL as a row of letters, one a token, so that the shape of an expression can be matched by a pattern."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

MOST = 64  # tokens: an injection shows itself where the value ends and its own SQL begins

# What each word is, by the letter of its kind.
_WORDS: Final = {
    "&": "or and xor",
    "!": "not",
    "U": "union intersect except minus",
    "d": "all distinct distinctrow top",
    "E": "select",
    "T": (
        "insert update delete drop create alter truncate exec execute declare shutdown waitfor begin call grant revoke "
        "merge replace copy handler load attach backup restore kill dbcc"
    ),
    "F": "from into",
    "W": "where having limit procedure offset fetch returning",
    "O": "order group",
    "B": "by",
    "o": "like rlike regexp ilike glob in between is sounds similar soundex match",
    "a": "div mod collate binary",
    "1": "null true false current_user session_user user current_date current_timestamp",
    "C": "case when then else end",
    "k": "asc desc as set table database values if exists schema index view function trigger delay outfile dumpfile",
    "w": "the a an this that these your our my their his her its any each some one no",
}
KINDS: Final = {word: kind for kind, words in _WORDS.items() for word in words.split()}

# Functions that an injection calls, rather than any function: those that wait, leak, read files or tell of the server.
CALLS: Final = frozenset(
    """
    sleep pg_sleep benchmark extractvalue updatexml xmltype load_file lo_import lo_get lo_export elt make_set
    utl_inaddr.get_host_address utl_http.request ctxsys.drithsx.sn dbms_pipe.receive_message dbms_lock.sleep
    user_lock.sleep generate_series regexp_substring randomblob crypt_key rdb$get_context
    char chr nchar ascii ord hex unhex concat concat_ws group_concat string_agg substr substring mid version database
    schema user system_user current_user session_user current_database count sum max min cast convert to_char
    xmlagg json_extract json_keys json_depth json_search json_array jsonb_pretty json json_object json_valid
    json_length json_type sqlite_version sqlite_compileoption_get sqlite_source_id
    row_count exp floor rand name_const polygon multipoint geometrycollection linestring st_latfromgeohash
    st_longfromgeohash gtid_subset isnull ifnull nullif coalesce iif if instr locate length len lower upper replace
    reverse right left repeat lpad rpad md5 sha1 sha aes_encrypt aes_decrypt encode decode compress db_name host_name
    is_srvrolemember serverproperty openrowset opendatasource openquery query_to_xml database_to_xml current_setting
    pg_read_file pg_ls_dir pi quote like glob exists row interval greatest least last_insert_id
    """.split()  # noqa: SIM905
)

_TOKEN = re.compile(
    r"""
      (?P<space> [\s\x00]++ | /\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/ | ::\w++ )
    | (?P<c> --.*+ | \#.*+ | /\*.*+ | ;\x00 )
    | (?P<s> [nbx]?(?:'(?:[^'\\]|\\.|'')*+(?:'|\Z) | "(?:[^"\\]|\\.|"")*+(?:"|\Z)) )
    | (?P<quoted> `[^`]*+(?:`|\Z) )
    | (?P<num> (?:0x[0-9a-f]++ | 0b[01]++ | \d++(?:\.\d*+)?(?:e[+-]?\d++)? | \.\d++) (?![\w$]) )
    | (?P<sys> @@[\w.$`]++ )
    | (?P<v> @[\w.$`]*+ | :\w++ | \$\d++ )
    | (?P<word> [^\W\d][\w$]*+(?:\.[^\W\d][\w$]*+)*+ | \[[\w ]++\] | \d\w++ )
    | (?P<cmp> <=>|<>|!=|!<|!>|<=|>=|:=|==|\^=|[=<>] | ->>?)
    | (?P<and> &&|\|\| )
    | (?P<arith> [-+*/%|&^~] )
    | (?P<punct> [(),;!.{}] )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_FOLLOWED = re.compile(r"\s[^\W\d]").match
_LETTER = {"s": "s", "quoted": "n", "num": "1", "sys": "V", "v": "v", "cmp": "o", "arith": "a", "other": "x", "c": "c"}
_TOKENS = _TOKEN.finditer
_HEADS = {quote: re.compile(f"[^{quote}]*+{quote}").match for quote in "'\""}


def shape(text: str, start: int = 0) -> str:
    """Return one letter a token of `text`, which is in lower case, up to 64 of them or a comment that ends it.

    `s` a string, `1` a number or constant, `v` a variable, `V` one of the server, `n` a name, `f` a call, `g` a call that injections make,
    `&` a logical word, `o` a comparison, `a` arithmetic, `U` union, `E` select, `T` another statement, `F` from,
    `W` where and the like, `c` a comment to the end; marks as they are.

    >>> shape("1 or 1=1 -- x"), shape("-1) union all select sleep(5)"), shape("it is fine")
    ('1&1o1c', 'a1)UdEg(1)', 'non')
    """
    letters: list[str] = []
    for found in islice(_TOKENS(text, start), 2 * MOST):
        kind = found.lastgroup
        if kind == "space":
            continue
        if kind == "word":
            letters.append(_word(found[0], text, found.end()))
        elif kind == "punct":
            letters.append(found[0])
        elif kind == "and":
            letters.append("&")
        elif kind is not None:
            letters.append(_LETTER[kind])
            if kind == "c":
                break
    return "".join(letters)


def inside(text: str, quote: str) -> str:
    """Return the shape of `text` as what stands within `quote`s: a string up to the first of them; "" if there is none.

    >>> inside("admin' or 'a'='a", "'"), inside("admin", "'")
    ('s&sos', '')
    """
    head = _HEADS[quote](text)
    return "s" + shape(text, head.end()) if head else ""


def _word(word: str, text: str, end: int) -> str:
    kind = KINDS.get(word)
    called = text.startswith("(", end) or text.startswith(" (", end)
    if called and word in CALLS and kind not in ("o", "&"):
        return "g"
    if kind is not None and (kind != "w" or _FOLLOWED(text, end)):  # `a` is an article in prose, a name in a = 1
        return kind
    return "f" if called and text[end] == "(" else "n"
