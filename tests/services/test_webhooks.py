"""Webhooks: a real receiver, and ways to lead the sender astray."""

import http.server
import json
import threading
import time

import pytest

from nexus_middleware.rules.webhooks import new_secret, verified
from nexus_middleware.services import webhooks
from nexus_middleware.services.webhooks import Refused, Unreachable, post

SECRET = new_secret()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(server.status)
        if server.location:
            self.send_header("location", server.location)
        self.send_header("content-length", "0" if not server.endless else str(10**9))
        self.end_headers()
        try:
            while server.endless:
                self.wfile.write(bytes(4096))
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def receiver():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.got, server.status, server.location, server.endless = [], 200, "", False
        server.url = f"http://hooks.example.test:{server.server_port}/in?x=1"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def here(host, port):
    return ["127.0.0.1"]


def send(server, **more):
    options = {"secret": SECRET, "message_id": "msg-1", "private": True, "resolve": here}
    return post(server.url, {"type": "note", "title": "Grüße"}, **{**options, **more})


def test_the_receiver_can_tell_that_the_message_is_ours(receiver):
    assert send(receiver) == 200

    ((headers, body),) = receiver.got
    assert verified(headers, body, secrets=(SECRET,), now=time.time())
    assert json.loads(body) == {"type": "note", "title": "Grüße"}
    assert headers["host"].startswith("hooks.example.test:")
    assert headers["webhook-id"] == "msg-1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301, 307])
def test_a_receiver_that_does_not_want_it_is_not_asked_again(receiver, status):
    receiver.status, receiver.location = status, "http://127.0.0.1:1/" if status < 400 else ""

    with pytest.raises(Refused) as told:
        send(receiver)
    assert told.value.gone is (status == 410)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_receiver_in_trouble_may_be_asked_later(receiver, status):
    receiver.status = status

    with pytest.raises(Unreachable):
        send(receiver)


def test_a_receiver_without_end_is_not_listened_to(receiver):
    receiver.endless = True

    assert send(receiver) == 200


def test_what_leads_inside_is_never_asked(receiver):
    with pytest.raises(Refused, match="our own network"):
        send(receiver, private=False)
    assert receiver.got == []


def test_one_address_inside_among_others_is_enough_to_refuse(receiver):
    with pytest.raises(Refused, match="our own network"):
        send(receiver, private=False, resolve=lambda host, port: ["93.184.215.14", "10.0.0.1"])


def test_a_name_that_changes_after_it_was_looked_at_leads_nowhere_else(receiver):
    """The attack: public when it is checked, our own network when the connection is made."""
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else ["192.0.2.1"]

    with pytest.raises(Refused):  # 192.0.2.1 is no public one either; nobody was asked a second time
        send(receiver, private=False, resolve=rebinding)
    assert asked == ["hooks.example.test"]
    assert receiver.got == []


def test_the_connection_goes_to_the_address_that_was_looked_at(receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "public", lambda address: address == "127.0.0.1")

    assert send(receiver, private=False) == 200  # no name server knows hooks.example.test


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://user:pw@example.com/",
        "http://",
        "example.com",
        "http://[::1",
        "http://example.com:99999/",
        "gopher://127.0.0.1:6379/_FLUSHALL",
    ],
)
def test_what_is_no_address_for_webhooks_is_refused(url):
    with pytest.raises(Refused):
        post(url, {}, secret=SECRET, message_id="m")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://localhost/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://127.1/",
    ],
)
def test_our_own_machine_in_any_spelling_is_refused_by_the_system_s_own_look_up(url):
    with pytest.raises((Refused, Unreachable)):
        post(url, {}, secret=SECRET, message_id="m")


def test_nobody_there_may_be_tried_again(receiver):
    receiver.shutdown()
    receiver.server_close()

    with pytest.raises(Unreachable):
        send(receiver)
