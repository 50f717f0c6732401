"""Redaction: no secret survives, by name or by look, however deep; what is no secret stays; and it takes linear time."""

import time
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_middleware.rules.redaction import DEEPEST, HIDDEN, ITEMS, TEXT, clean, redact_text, secret

NAMES = [
    "password",
    "Authorization",
    "x-api-key",
    "apiKey",
    "client_secret",
    "refreshToken",
    "card",
    "cardNumber",
    "ssn",
]
NAMES += ["key", "Set-Cookie", "db_passwd", "PASSWORD", "userToken", "accessKey", "pin", "session-cookie", "auth"]


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_known_by_its_name(name):
    assert secret(name)


@pytest.mark.parametrize(
    "name", ["monkey", "keyboard", "passenger", "cardinal", "author", "spin", "compass", "user", ""]
)
def test_a_name_that_only_looks_like_one_is_left_alone(name):
    assert not secret(name)


SECRET = st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=12, max_size=40)
WRAPS = [
    lambda name, value: {name: value},
    lambda name, value: {"deep": [{"deeper": ({name: value},)}]},
    lambda name, value: f"https://example.org/a?page=2&{name}={value}&x=1#f",
    lambda name, value: f'{{"user": "ann", "{name}": "{value}"}}',
    lambda name, value: f"{{'user': 'ann', '{name}': '{value}'}}",
    lambda name, value: f"{name}: {value}",
    lambda name, value: f"{name} = {value!r}",
    lambda name, value: f'    connect({name}="{value}")',
    lambda name, value: f"[(b'{name}', b'{value}')]",
    lambda name, value: f'body={{\\"{name}\\": \\"{value}\\"}}',
    lambda name, value: {"url": f"redis://:{value}@cache:6379/0"},
    lambda name, value: [f"postgresql://shop:{value}@db/shop", b"amqp://u:" + value.encode() + b"@mq"],
    lambda name, value: f"Authorization: Bearer {value}",
    lambda name, value: f"Cookie: a=b; sid={value}; c={value}",
]


@settings(deadline=None)
@given(st.sampled_from(WRAPS), st.sampled_from([n for n in NAMES if n != "cardNumber"]), SECRET)
def test_no_secret_survives_wherever_it_stands(wrap, name, value):
    assert value not in msgspec.json.encode(clean(wrap(name, value))).decode()


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "4242 4242 4242 4242",
        "078-05-1120",
        "AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_some_secrets_are_known_by_their_look(text):
    assert redact_text(f"found {text} here") == f"found {HIDDEN} here"


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'course'",
        "GET /courses/42?page=2&sort=title 200 in 12.5 ms",
        "https://example.org:8443/path?email=ann@example.org",
        "order 1234567890123456 at 1700000000.123",
        "2026-11-24 21:10:07",
        "Kein Schlüssel für diese Tür",
    ],
)
def test_what_is_no_secret_stays(text):
    assert clean(text) == text


def test_yes_no_and_nothing_tell_no_secret():
    assert clean({"has_password": True, "token": None, "key": ""}) == {"has_password": True, "token": None, "key": ""}


@dataclass
class Login:
    user: str
    password: str


class Card(msgspec.Struct):
    number: str
    cvv: str


class Unwilling:
    def __repr__(self):
        raise RuntimeError("no")


def test_objects_are_shown_by_their_fields_or_their_repr():
    assert clean(Login("ann", "hunter2")) == {"user": "ann", "password": HIDDEN}
    assert clean([Card("4242424242424242", "123")]) == [{"number": HIDDEN, "cvv": HIDDEN}]
    assert clean(Unwilling()) == "<Unwilling that cannot be shown>"
    assert clean(ValueError("password=hunter2")) == f"ValueError('password={HIDDEN}')"
    assert clean({1: b"token=abc", (2, 3): {4}}) == {"1": f"token={HIDDEN}", "(2, 3)": [4]}


def test_everything_is_cut():
    assert len(clean("x" * 10 * TEXT)) < TEXT + 30
    assert len(clean([1] * 10 * ITEMS)) == ITEMS + 1
    assert len(clean({str(n): n for n in range(10 * ITEMS)})) == ITEMS + 1
    assert clean(10**5_000) == "a number of 16610 bits"
    nest = inner = []
    for _ in range(100):
        inner.append([])
        inner = inner[0]
    assert str(clean(nest)).count("[") == DEEPEST
    loop = {}
    loop["again"] = loop
    assert msgspec.json.encode(clean(loop))


def test_a_secret_at_the_cut_is_not_left_half():
    assert "hunter2" not in clean("x" * (TEXT - 12) + "password='hunter2hunter2'")


HOSTILE = ["token", "a", "key=", "://a:", "\\", "1 ", "cookie ", "password\"'", "eyJ", "token='", "://", "eyJaaaaaaaa.", '",',
           "-----BEGIN PRIVATE KEY-----", "token',", "%3D", "bearer "]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_it_takes_linear_time_whatever_it_is_given(piece):
    def seconds(size):
        text = piece * (size // len(piece))
        times = []
        for _ in range(5):
            began = time.process_time()
            redact_text(text)
            times.append(time.process_time() - began)
        return min(times)

    assert seconds(40_000) < 6 * seconds(10_000) + 0.005


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_whatever_is_given_json_can_hold_what_comes_out(value):
    msgspec.json.encode(clean(value))


def test_half_a_surrogate_can_be_written_too():
    assert msgspec.json.encode(clean({"\ud800": "\udfff"})) == b'{"\\\\ud800":"\\\\udfff"}'
