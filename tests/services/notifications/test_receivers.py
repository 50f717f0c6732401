"""Receivers: who is told where, and when a webhook is given up."""

import base64

import pytest

from nexus_middleware import SettingsError
from nexus_middleware.services.notifications import Receivers
from nexus_middleware.services.webhooks import Refused

KEYS = {"p256dh": base64.urlsafe_b64encode(bytes(65)).decode().rstrip("="), "auth": "AAAAAAAAAAAAAAAAAAAAAA"}
BROWSER = {"endpoint": "https://push.example/abc", "keys": KEYS}


@pytest.fixture
def receivers(redis_url):
    return Receivers(redis_url)


def test_a_user_has_what_was_added_until_it_is_removed(receivers):
    hook = receivers.add_webhook("ann", "https://hooks.example/in")
    browser = receivers.add_push("ann", BROWSER)
    receivers.set_email("ann", "ann@example.org")
    receivers.set_email("ann", "ann@example.net")

    assert [(x.kind, x.address) for x in receivers.of("ann")] == [
        ("email", "ann@example.net"),
        ("push", BROWSER["endpoint"]),
        ("webhook", "https://hooks.example/in"),
    ]
    assert hook.secret.startswith("whsec_")
    assert receivers.remove("ann", browser.id)
    assert not receivers.remove("ann", browser.id)
    assert receivers.of("bob") == []


def test_a_webhook_that_keeps_failing_is_switched_off_and_one_success_begins_anew(receivers):
    hook = receivers.add_webhook("ann", "https://hooks.example/in")

    def state():
        (found,) = receivers.of("ann")
        return found.failures, found.off

    for _ in range(11):
        receivers.note("ann", hook.id, went=False)
    assert state() == (11, False)
    receivers.note("ann", hook.id, went=True)
    assert state() == (0, False)
    for _ in range(12):
        receivers.note("ann", hook.id, went=False)
    assert state() == (12, True)
    receivers.switch_on("ann", hook.id)
    assert state() == (0, False)


def test_a_user_has_20_receivers_at_most_and_may_change_those_there_are(receivers):
    for n in range(20):
        receivers.add_webhook("ann", f"https://hooks.example/{n}")

    with pytest.raises(ValueError, match="remove one"):
        receivers.add_webhook("ann", "https://hooks.example/20")
    receivers.add_webhook("ann", "https://hooks.example/3")


@pytest.mark.parametrize("url", ["ftp://x.example", "javascript:alert(1)", "https://u:p@x.example/"])
def test_a_webhook_goes_to_a_web_address(receivers, url):
    with pytest.raises(Refused):
        receivers.add_webhook("ann", url)


def test_a_secret_of_the_receiver_s_own_must_be_one(receivers):
    with pytest.raises(SettingsError, match="secret"):
        receivers.add_webhook("ann", "https://hooks.example/in", secret="short")


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "http://push.example/"},
        {"endpoint": 5},
        {"keys": None},
        {"keys": {}},
        {"keys": {**KEYS, "auth": "AAAA"}},
        {"keys": {**KEYS, "p256dh": "%%%"}},
    ],
)
def test_what_is_no_subscription_is_refused(receivers, wrong):
    with pytest.raises(ValueError, match="push subscription"):
        receivers.add_push("ann", {**BROWSER, **wrong})


@pytest.mark.parametrize("address", ["", "x", "a b@c", "a@b\r\nBcc: c@d"])
def test_what_is_no_e_mail_address_is_refused(receivers, address):
    with pytest.raises(ValueError, match="e-mail"):
        receivers.set_email("ann", address)


@pytest.mark.anyio
async def test_the_event_loop_has_twins(receivers):
    hook = await receivers.aadd_webhook("ann", "https://hooks.example/in")
    browser = await receivers.aadd_push("ann", BROWSER)
    mail = await receivers.aset_email("ann", "ann@example.org")

    assert [x.id for x in await receivers.aof("ann")] == [mail.id, browser.id, hook.id]
    assert await receivers.aremove("ann", hook.id)
