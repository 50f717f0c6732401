"""Web push: a real push service's side, which hands the message to a browser that decrypts it."""

import base64
import json
import os

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from nexus_middleware import SettingsError
from nexus_middleware.services.notifications.push import push
from nexus_middleware.services.notifications.receivers import Receiver
from nexus_middleware.services.webhooks import Refused, Unreachable
from tests.receivers import receiving

SUBJECT = "mailto:admin@example.org"


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture(scope="module")
def vapid():
    made = Vapid02()
    made.generate_keys()
    return made


@pytest.fixture
def browser():
    """The browser's secrets, and what it gives to the page."""
    key, auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return key, auth, {"p256dh": b64(point), "auth": b64(auth)}


@pytest.fixture
def service():
    """A push service on this machine."""
    with receiving("/send/abc", host="push.example.test", status=201) as server:
        yield server


def send(service, browser, vapid, payload=None, **more):
    receiver = Receiver(id="push-1", kind="push", address=service.url, **browser[2])
    key = vapid.private_pem().decode()
    options = {"key": key, "subject": SUBJECT, "private": True, "resolve": lambda host, port: ["127.0.0.1"]}
    return push(receiver, payload or {"title": "Grüße"}, **{**options, **more})


def test_only_the_browser_can_read_it_and_the_service_knows_who_sends(service, browser, vapid):
    assert send(service, browser, vapid) == 201

    ((headers, body),) = service.got
    key, auth, _ = browser
    assert json.loads(http_ece.decrypt(body, private_key=key, auth_secret=auth)) == {"title": "Grüße"}
    assert "Grüße".encode() not in body
    assert headers["ttl"] == "86400"
    assert headers["content-encoding"] == "aes128gcm"
    assert headers["authorization"].startswith("vapid t=")
    assert Vapid02.verify(auth=headers["authorization"])


@pytest.mark.parametrize(("status", "gone"), [(404, True), (410, True), (400, False), (413, False)])
def test_a_browser_that_is_gone_is_told_from_a_message_that_is_wrong(service, browser, vapid, status, gone):
    service.status = status

    with pytest.raises(Refused) as told:
        send(service, browser, vapid)
    assert told.value.gone is gone


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_in_trouble_may_take_it_later(service, browser, vapid, status):
    service.status = status

    with pytest.raises(Unreachable):
        send(service, browser, vapid)


def test_it_leads_nowhere_inside(service, browser, vapid):
    with pytest.raises(Refused, match="our own network"):
        send(service, browser, vapid, private=False)
    assert service.got == []


def test_a_message_too_long_for_push_services_is_not_sent(service, browser, vapid):
    with pytest.raises(Refused, match="bytes"):
        send(service, browser, vapid, {"title": "x" * 3000})


@pytest.mark.parametrize("key", ["", "x", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none_is_a_setting_to_change_and_not_repeated(service, browser, vapid, key):
    with pytest.raises(SettingsError, match="NEXUS_VAPID_KEY"):
        send(service, browser, vapid, key=key)
