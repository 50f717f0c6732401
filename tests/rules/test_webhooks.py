"""Webhooks: the specification's own example, signatures that do not hold, and addresses that lead inside."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware import SettingsError
from nexus_middleware.rules import webhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SIGNED = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
NOW = 1614265330.0


def test_the_specification_s_example_comes_out_as_it_is_printed():
    lines = webhooks.signed(BODY, secret=SECRET, message_id=SIGNED["webhook-id"], at=int(NOW))

    assert {name.decode(): value.decode() for name, value in lines} == SIGNED
    assert webhooks.verified(SIGNED, BODY, secrets=(SECRET,), now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "\u0661"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook-signature": ""},
    ],
)
def test_what_was_changed_on_its_way_is_not_ours(change):
    assert not webhooks.verified({**SIGNED, **change}, BODY, secrets=(SECRET,), now=NOW)


def test_an_old_message_is_not_taken_again():
    assert not webhooks.verified(SIGNED, BODY, secrets=(SECRET,), now=NOW + 301)
    assert not webhooks.verified(SIGNED, BODY, secrets=(SECRET,), now=NOW - 301)


def test_while_a_secret_is_changed_both_hold():
    assert webhooks.verified(SIGNED, BODY, secrets=(webhooks.new_secret(), SECRET), now=NOW)


@given(body=st.binary(max_size=200), at=st.integers(0, 2**33))
def test_what_is_signed_is_verified(body, at):
    secret = webhooks.new_secret()
    lines = {k.decode(): v.decode() for k, v in webhooks.signed(body, secret=secret, message_id="m1", at=at)}

    assert webhooks.verified(lines, body, secrets=(secret,), now=float(at))
    assert not webhooks.verified(lines, body + b" ", secrets=(secret,), now=float(at))


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_short", "whsec_" + "%" * 40, base64.b64encode(bytes(65)).decode()]
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret):
    with pytest.raises(SettingsError) as told:
        webhooks.read_secret(secret)
    assert not secret.removeprefix("whsec_") or secret.removeprefix("whsec_") not in str(told.value)


INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "240.0.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "not an address",
    "127.1",
    "",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address):
    assert not webhooks.public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_an_address_of_the_internet_is_public(address):
    assert webhooks.public(address)
