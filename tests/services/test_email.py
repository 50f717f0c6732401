"""E-mail: what a server's answers mean, and what happens once."""

import email
import socket

import pytest
import redis

from nexus_middleware.services.jobs import smtp
from nexus_middleware.services.jobs.email import Mail, compose
from nexus_middleware.services.jobs.once import CLAIM, Once
from nexus_middleware.services.jobs.registry import Later, Permanent
from nexus_middleware.services.jobs.suppressed import Suppressed
from tests.conftest import free_port
from tests.services.mail import MAIL, send


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


def test_when_some_are_refused_for_good_the_others_get_it_and_these_get_no_more_mail(work, box):
    box.refused = {"bob@example.org": "550 unknown"}
    assert send(work()) == {"sent": True, "refused": ["bob@example.org"]}
    box.refused = {}
    assert send(work(job="job-2")) == {"sent": True, "suppressed": ["bob@example.org"]}
    assert [mail.rcpt_tos for mail in box.mails] == [["ann@example.org"]] * 2
    assert send(work({**MAIL, "to": "Bob@example.org"}, job="job-3")) == {
        "sent": False,
        "suppressed": ["Bob@example.org"],
    }


def test_a_refusal_by_policy_says_nothing_of_the_address(work, box, client):
    box.refused = {"bob@example.org": "550 5.7.1 not from you"}
    assert send(work())["refused"] == ["bob@example.org"]
    silent = Suppressed(client, "nexus:1:")
    assert silent.every() == {}
    silent.add("Ann@example.org", "asked for it")
    assert silent.among(["ann@example.org", "bob@example.org"]) == {"ann@example.org"}
    assert silent.drop("ann@example.org")
    assert not silent.drop("ann@example.org")


def test_those_refused_for_now_get_it_by_the_retry_and_the_others_once(work, box):
    box.refused = {"bob@example.org": "450 greylisted"}
    with pytest.raises(OSError, match="greylisted"):
        send(work())
    box.refused = {}
    assert send(work()) == {"sent": True}
    assert [mail.rcpt_tos for mail in box.mails] == [["ann@example.org"], ["bob@example.org"]]


def test_when_all_are_refused_for_good_it_fails_at_once(work, box):
    box.refused = dict.fromkeys(["ann@example.org", "bob@example.org"], "550 unknown")
    with pytest.raises(Permanent, match="refused"):
        send(work())


def test_mails_that_follow_one_another_use_one_connection(work, box, monkeypatch):
    for i in range(3):
        assert send(work(job=f"job-{i}"))["sent"]
    assert len(box.peers) == 1
    monkeypatch.setattr(smtp, "MOST", 4)
    for i in range(3, 6):
        assert send(work(job=f"job-{i}"))["sent"]
    assert len(box.peers) == 2
    smtp._KEPT.smtp.sock.shutdown(socket.SHUT_RDWR)  # as if the server had hung up
    assert send(work(job="job-7"))["sent"]
    assert len(box.peers) == 3


def test_mail_to_many_says_how_to_unsubscribe(queues):
    url = "https://example.org/unsubscribe?token=" + "x" * 120
    ids = queues.queue_bulk_emails([MAIL, {**MAIL, "unsubscribe": "mailto:stop@example.org"}], unsubscribe=url)
    assert len(ids) == 2
    text = bytes(compose(Mail(**MAIL, unsubscribe=url), sender="me@example.org", key="k"))
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in text
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in text
    by_mail = compose(Mail(**MAIL, unsubscribe="mailto:stop@example.org"), sender="me@example.org", key="k")
    assert by_mail["List-Unsubscribe-Post"] is None
    for wrong in ("http://example.org", "https://example.org/>,<b", "https://a\r\nBcc: b@example.org"):
        with pytest.raises(ValueError, match="unsubscribe="):
            queues.queue_bulk_emails([MAIL], unsubscribe=wrong)


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
    both = compose(Mail(**MAIL, text="Hi"), sender="me@example.org", key="k")
    assert [part.get_content_type() for part in both.iter_parts()] == ["text/plain", "text/html"]
    assert (
        compose(Mail(**{**MAIL, "html": "", "text": "Hi"}), sender="me@example.org", key="k").get_content_type()
        == "text/plain"
    )
    assert both["Message-ID"] == compose(Mail(**MAIL), sender="me@example.org", key="k")["Message-ID"]
