"""E-mail: what the URL says, what a server's answers mean, and what happens once."""

import email
import socket
import uuid

import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from nexus_middleware.errors import SettingsError
from nexus_middleware.services.jobs.email import Server, compose, send
from nexus_middleware.services.jobs.once import CLAIM, Once
from nexus_middleware.services.jobs.registry import Later, Permanent, Work
from nexus_middleware.settings import Settings
from tests.conftest import free_port

MAIL = {"to": ["ann@example.org", "Bob <bob@example.org>"], "subject": "Hello", "html": "<p>Hi</p>"}


class Box:
    """A mail server's mind: takes mail, but not for those who are refused."""

    def __init__(self) -> None:
        self.mails, self.refused, self.port, self.logins = [], {}, 0, []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  # the name aiosmtpd calls
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(envelope)
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"s@cret", handled=False)


@pytest.fixture
def box():
    made = Box()
    made.port = free_port()
    options = {"authenticator": made.authenticate, "auth_require_tls": False}
    controller = Controller(made, hostname="127.0.0.1", port=made.port, **options)
    controller.start()
    yield made
    controller.stop()


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url) as made:
        yield made


@pytest.fixture
def work(client, box):
    def make(payload=MAIL, *, job="job-1", url=f"smtp://127.0.0.1:{box.port}", sender="shop@example.org"):
        settings = Settings(smtp_url=url, smtp_from=sender)
        once = Once(client, "nexus:1:", uuid.uuid4().hex)
        return Work(id=job, attempt=1, payload=payload, settings=settings, once=once)

    return make


def test_each_recipient_is_sent_to(work, box):
    assert send(work()) == {"sent": True}
    assert box.mails[0].rcpt_tos == ["ann@example.org", "bob@example.org"]
    message = email.message_from_bytes(box.mails[0].content)
    assert message["Message-ID"].endswith("@example.org>")
    assert message["Date"]


def test_a_job_that_is_run_again_sends_nothing_and_another_job_does(work, box):
    assert send(work())["sent"]
    assert send(work()) == {"sent": False, "why": "already sent"}
    assert send(work(job="job-2"))["sent"]
    assert len(box.mails) == 2
    assert box.mails[0].content != box.mails[1].content  # their ids


def test_what_another_run_may_be_sending_is_put_off_until_its_claim_ends(work, box):
    with work().once.doing("x"), pytest.raises(Later) as told, work().once.doing("x"):
        pass
    assert 0 < told.value.seconds <= CLAIM
    assert CLAIM < 60


def test_a_failed_mail_may_be_tried_again_at_once(work, box):
    closed = f"smtp://127.0.0.1:{free_port()}"
    with pytest.raises(OSError, match="refused"):
        send(work(url=closed))
    assert send(work())["sent"]


def test_a_redis_that_is_away_for_a_moment_after_the_act_does_not_have_it_repeated(client, monkeypatch):
    monkeypatch.setattr("nexus_middleware.services.jobs.once.time.sleep", lambda seconds: None)
    once = Once(client, "nexus:1:", "me")
    real, failures = client.set, [redis.ConnectionError("away"), redis.ConnectionError("away")]

    def away(*args, **options):
        if failures and args[1] == "done":
            raise failures.pop()
        return real(*args, **options)

    monkeypatch.setattr(client, "set", away)
    with once.doing("x") as mine:
        assert mine
    assert failures == []
    with once.doing("x") as mine:
        assert not mine
    failures += [redis.ConnectionError("away for good")] * 20
    with pytest.raises(redis.ConnectionError), once.doing("y"):
        pass


def test_a_claim_that_went_to_another_is_not_given_back(work, client):
    with pytest.raises(ValueError, match="late"), work().once.doing("x"):
        client.set("nexus:1:once:x", "another")
        raise ValueError("late")
    assert client.get("nexus:1:once:x") == b"another"


def test_when_some_are_refused_the_others_get_it(work, box):
    box.refused = {"bob@example.org": "550 unknown"}
    assert send(work()) == {"sent": True, "refused": ["bob@example.org"]}


def test_when_all_are_refused_for_good_it_fails_at_once_and_for_now_it_is_retried(work, box):
    box.refused = dict.fromkeys(["ann@example.org", "bob@example.org"], "550 unknown")
    with pytest.raises(Permanent, match="refused"):
        send(work())
    box.refused["bob@example.org"] = "450 greylisted"
    with pytest.raises(OSError, match="greylisted"):
        send(work())


@pytest.mark.filterwarnings("ignore:Session.login_data:DeprecationWarning")  # aiosmtpd's own
def test_the_user_and_password_are_those_of_the_url(work, box):
    url = f"smtp://ann:s%40cret@127.0.0.1:{box.port}"
    assert send(work(url=url))["sent"]
    assert box.logins == [(b"ann", b"s@cret")]
    with pytest.raises(Permanent, match="535"):
        send(work(job="job-2", url=f"smtp://ann:wrong@127.0.0.1:{box.port}"))


def test_a_server_that_cannot_encrypt_is_not_spoken_to_in_clear(work, box):
    with pytest.raises(Permanent, match="cannot"):
        send(work(url=f"smtp+starttls://ann:s%40cret@127.0.0.1:{box.port}"))
    with pytest.raises(OSError):  # noqa: PT011  # SSL's words differ from version to version
        send(work(url=f"smtps://ann:s%40cret@127.0.0.1:{box.port}"))
    assert box.logins == box.mails == []


def test_a_server_that_says_nothing_is_given_up(work, monkeypatch):
    monkeypatch.setattr("nexus_middleware.services.jobs.email.TIMEOUT", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(OSError, match="timed out"):
            send(work(url=f"smtp://127.0.0.1:{silent.getsockname()[1]}"))


def test_without_a_server_or_a_sender_it_fails_at_once_and_names_the_setting(work):
    with pytest.raises(Permanent, match="NEXUS_SMTP_URL"):
        send(work(url=""))
    with pytest.raises(Permanent, match="NEXUS_SMTP_FROM"):
        send(work(sender=""))
    assert send(work({**MAIL, "sender": "Me <me@example.org>"}, sender=""))["sent"]


def test_a_payload_that_injects_headers_is_never_sent(work, box):
    with pytest.raises(Permanent, match="one line"):
        send(work({**MAIL, "subject": "a\nBcc: all@example.org"}))
    assert box.mails == []


def test_a_mail_has_both_forms_or_one():
    both = compose({**MAIL, "text": "Hi"}, sender="me@example.org", key="k")
    assert [part.get_content_type() for part in both.iter_parts()] == ["text/plain", "text/html"]
    assert (
        compose({**MAIL, "html": "", "text": "Hi"}, sender="me@example.org", key="k").get_content_type() == "text/plain"
    )
    assert both["Message-ID"] == compose(MAIL, sender="me@example.org", key="k")["Message-ID"]


@pytest.mark.parametrize(
    ("url", "host", "port", "user"),
    [
        ("smtp://mail", "mail", 25, ""),
        ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, ""),
        ("smtps://ann:x@mail.example.org", "mail.example.org", 465, "ann"),
        ("smtp+starttls://a%40b:x@mail.example.org:2525", "mail.example.org", 2525, "a@b"),
    ],
)
def test_a_url_names_the_server(url, host, port, user):
    server = Server.from_url(url)
    assert (server.host, server.port, server.user) == (host, port, user)
    assert "password" not in repr(server)


@pytest.mark.parametrize(
    "url", ["mail:25", "http://mail", "smtp://", "smtp://mail:port", "smtp://ann:x@mail.example.org"]
)
def test_a_url_that_will_not_do_is_told(url):
    with pytest.raises(SettingsError, match="smtp_url"):
        Server.from_url(url)
