"""What gives script in a text away: tags that run or load, handlers, schemes, and calls that only scripts make.

Patterns begin with a letter as it is, for which the engine looks at the speed of memory; what must stand before it is
asked behind it.
"""

from __future__ import annotations

from typing import Final

_GAP = r"[\s\x00-\x20\\/*<!>-]{0,12}+"  # what browsers skip, or once skipped, within the name of a scheme
_OPEN = r"<[\s/\x00%!?*]{0,6}+"
_END = r"(?=[\s/>\x00-\x20<\"'+(\\:=,;*%&~`]|$)"
_PUNCTUATION = r"['\";})>\]\[{|/+*&,=(:!~^?%-]"


def _scheme(name: str) -> str:
    return _GAP.join(name) + r"[\s\x00-\x20]{0,8}+:" + r"(?![\s\"'`.,)\]<*]|$)"


def _word(word: str) -> str:
    """Return the pattern of a word that is no end of a longer one, nor of a path."""
    return rf"{word}(?<![\w.$]{word})"


def _call(word: str) -> str:
    """Return the pattern of a call that stands where one may begin: behind a mark, or at the start."""
    behind = rf"(?:(?<![\w\s.$`-]{word})|(?<={_PUNCTUATION}[\s-]{word})|(?<=\bin\s{word})|(?<=throw\s{word}))"
    called = r"\(\s?[^)\s]|\(\)$|\\{0,2}`[^`\s]{1,30}`|\?\.|\.(?:call|apply|bind)"
    return rf"{word}{behind}\s{{0,9}}[\])]?\s?(?:{called})"


_TAGS = "iframe|frameset|embed|applet|isindex|xss|layer|ilayer|bgsound|vmlframe|marquee|plaintext|style"
_LOADING_TAGS = (
    "frame|object|base|import|listener|handler|portal|animate|animatetransform|animatemotion|set|xml|foreignobject"
)
_DATA = "text/(?:html|xml|javascript)|application/(?:xhtml|xml|javascript|x-)"

WORDS: Final = [
    ("xss-script", 9, ["script"], rf"{_OPEN}(?:[a-z]{{1,9}}:)?script{_END}"),
    ("xss-scheme", 9, [":"], _scheme("javascript")),
    ("xss-scheme", 9, [":"], _scheme("vbscript")),
    ("xss-scheme", 8, ["livescript:"], r"livescript:\S"),
    ("xss-scheme", 8, ["mocha:"], rf"{_word('mocha')}:\S"),
    ("xss-scheme", 8, ["mhtml:"], rf"{_word('mhtml')}:\S"),
    ("xss-scheme", 8, ["javascript"], r"url\(\s{0,9}['\"]?\s{0,9}javascript"),
    ("xss-tag", 8, ["<"], rf"{_OPEN}(?:{_TAGS}){_END}"),
    ("xss-tag", 8, ["<"], rf"<[\s/\x00%]{{0,6}}+(?:{_LOADING_TAGS})[\s/\x00-\x20]{{1,9}}[\w:-]{{1,30}}\s{{0,9}}="),
    ("xss-tag", 8, [":include"], r"<xi:include\b"),
    ("xss-breakout", 7, [">"], r"^[^<]{0,60}['\"]\s{0,9}/?>\s{0,9}<[a-z/!]"),
    ("xss-breakout", 7, ["</"], r"^[^<]{0,20}</(?:title|textarea|style|noscript|noembed|select|xmp|template)\s{0,9}>"),
    ("xss-data", 8, ["data"], rf"{_word('data')}\s{{0,5}}:\s{{0,5}}(?:{_DATA})"),
    ("xss-data", 8, ["data:"], r"data:[,;][^\s\"']{0,30}(?:script|alert|base64,phn|base64,ij48)"),
    ("xss-css", 8, ["expression"], r"expression(?<=[:;(\s/]expression)[(\\]"),
    ("xss-css", 8, ["binding"], r"-moz-binding\s?:|binding\s?:\s?url"),
    ("xss-css", 8, ["behavio"], r"behaviou?r\s?:\s{0,9}(?:url|#)"),
    ("xss-css", 7, ["@im"], r"@im(?:port|\\)\s{0,9}['\"(u\\]"),
    ("xss-xml", 7, ["<!"], r"<!(?:(?:entity|attlist|element)\b|doctype\s\w{1,20}\s?\[|--#\w)"),
    ("xss-xml", 7, ["<?"], r"<\?(?:xml-stylesheet|import|xml:namespace)\b"),
    (
        "xss-page",
        7,
        ["document"],
        r"document\s{0,9}(?:\.\s{0,9}(?:cookie(?!`)|write(?:ln)?\s?\(|domain\b|location\b)|\[)",
    ),
    *[
        ("xss-page", 7, [word], rf"{_word(word)}\s{{0,9}}(?:\[\s{{0,9}}['\"/]|\.\s?(?:name\b|location\s?=|open\s?\())")
        for word in ("window", "top", "parent", "self", "globalthis", "frames")
    ],
    (
        "xss-page",
        6,
        ["document", "window", "self", "top", "parent", "frames", "this"],
        r"^\s{0,9}(?:document|window|self|top|parent|frames|this)\s?(?:\.\w{1,30}){0,4}\s?[(=\[]",
    ),
    ("xss-page", 7, ["location"], r"location\s?=\s?['\"`]?(?:javascript|name\b|location|hash|\\)"),
    ("xss-page", 7, ["html"], r"html(?<=erhtml)\s?=\s?['\"`]?(?:location|name\b|<)"),
    ("xss-code", 7, ["fromcharcode"], r"string\s?(?:\.|\[['\"])\s?fromcharcode"),
    ("xss-code", 7, ["eval"], rf"{_word('eval')}\s?\(\s?[^)\s]"),
    ("xss-code", 7, ["execscript"], r"execscript\s?\("),
    ("xss-code", 7, ["reflect."], r"reflect\.(?<![\w.]reflect\.)\w{2,20}\.?(?:call|apply)?[(`]"),
    ("xss-code", 7, ["settimeout"], r"settimeout\s?(?:\(\s?['\"`]|`|(?<=['\"][;,)+-]settimeout)\()"),
    ("xss-code", 7, ["setinterval"], r"setinterval\s?(?:\(\s?['\"`]|`|(?<=['\"][;,)+-]setinterval)\()"),
    ("xss-code", 7, ["constructor"], r"constructor(?:(?<=\[['\"]constructor)|(?<=\.constructor)\s?\()"),
    ("xss-code", 7, ["onerror"], r"onerror\s{0,9}=\s{0,9}(?:alert|eval|confirm|prompt|function)"),
    ("xss-code", 7, ["import"], r"import\s?\(\s?['\"`](?:https?:|//|data:)"),
    ("xss-code", 7, ["function"], r"new\s{1,9}function\s?[(`]"),
    (
        "xss-code",
        6,
        ["![]", "! []"],
        r"!\s?\[\](?:(?<=[!\[(]!\[\])|(?<=[!\[(]\s!\[\])|(?<=[!\[(]!\s\[\]))|^\s?!{1,2}\s?\[\]",
    ),
    *[("xss-call", 7, [word], _call(word)) for word in ("alert", "confirm", "prompt")],
    ("xss-encoded", 6, ["&#"], r"&#(?:x0{2,}3c|0{2,}60)\b|^\s?&#(?:x3c|60);?\s?$"),
    ("xss-encoded", 6, ["=&{"], r"=&\{"),
    ("xss-encoded", 6, ["\\u00"], r"\\u00[67][0-9a-f](?:(?<=[a-z]\\u00..)|[a-z])"),
    ("xss-encoded", 6, ["\\0"], r"\\0{1,4}[0-9a-f]{2}\s?(?:\\0{1,4}[0-9a-f]{2}\s?){2}"),
]
# Of these the places in a long text are judged.
STRONG: Final = ("<script", "javascript:", "onerror", "onload", "<iframe", "document.cookie")

# What an attribute within a tag is called that runs or loads something: `on…` is any handler, known or to come.
EVENTS: Final = (
    "abort activate after animation auxclick before begin blur bounce canplay cancel cellchange change click close "
    "contextmenu controlselect copy cuechange cut dataavailable dataset dblclick deactivate drag drop durationchange "
    "emptied end error filterchange finish focus form fullscreen hashchange help input invalid key layoutcomplete load "
    "losecapture media message mouse move offline outofsync page paste pause play pointer popstate popup progress "
    "propertychange ratechange readystatechange repeat reset resize resume reverse row scroll search security seek "
    "select show start stalled stop storage submit suspend synch time toggle touch track transition undo unhandled "
    "unload urlflip volumechange wait webkit wheel zoom"
)
ATTRIBUTES: Final = ("srcdoc", "formaction", "xlink:href", "datasrc", "datafld", "dynsrc", "lowsrc", "http-equiv")
